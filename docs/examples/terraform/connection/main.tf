# A connection to AWS: whose access key Claviger signs with.
#
# The key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, so that the secret is in no plan and no state.
# The provider cannot change a connection in place (it would take the time of the change for its id). Whoever changes
# something here has it replaced; that works as long as no KMS uses it.

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
  default = "made with Terraform"
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

# Which account the key belongs to, and which regions it may use.
data "ciphertrust_aws_account_details" "account" {
  aws_connection = ciphertrust_aws_connection.connection.id
}

output "account" {
  value = data.ciphertrust_aws_account_details.account.account_id
}

output "regions" {
  value = data.ciphertrust_aws_account_details.account.regions
}
