# A KMS: an AWS account with the regions whose keys are managed. The other examples use this KMS.
#
# Regions can be added and removed in place. The keys of a removed region stay in AWS.

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
  default = "terraform"
}

variable "connection" {
  type        = string
  description = "Name or id of a connection. The lab has this one."
  default     = "test_aws-connection"
}

variable "regions" {
  type    = list(string)
  default = ["eu-west-3", "eu-central-1"]
}

data "ciphertrust_aws_account_details" "account" {
  aws_connection = var.connection
}

resource "ciphertrust_aws_kms" "kms" {
  name           = var.name
  account_id     = data.ciphertrust_aws_account_details.account.account_id
  aws_connection = var.connection
  regions        = var.regions
}

output "arn" {
  value = ciphertrust_aws_kms.kms.arn
}
