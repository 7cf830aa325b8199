# A connection to AWS, with the access key that signs the calls.
#
# The provider reads the access key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, so that the secret is neither in
# the plan nor in the state. It cannot update a connection (it overwrites the id with the time of the update).
# Therefore a change replaces the connection, which is possible while no KMS uses it.

terraform {
  required_providers {
    ciphertrust = {
      source  = "ThalesGroup/CipherTrust"
      version = "1.0.1"
    }
  }
}

variable "name" {
  type    = string
  default = "terraform-connection"
}

variable "description" {
  type    = string
  default = "created with Terraform"
}

resource "terraform_data" "settings" {
  input = [var.name, var.description]
}

resource "ciphertrust_aws_connection" "connection" {
  name        = var.name
  description = var.description
  products    = ["cckm"]

  lifecycle {
    replace_triggered_by = [terraform_data.settings]
  }
}

# The account of the access key, and the regions that it may use.
data "ciphertrust_aws_account_details" "account" {
  aws_connection = ciphertrust_aws_connection.connection.id
}

output "account" {
  value = data.ciphertrust_aws_account_details.account.account_id
}

output "regions" {
  value = data.ciphertrust_aws_account_details.account.regions
}
