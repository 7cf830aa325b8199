# A KMS: some regions of an AWS account, whose keys are managed from now on. The other examples use this one.
#
# Regions are added and taken away in place. A region's keys stay in AWS when it is taken away.

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
  description = "Name or id of a connection; the lab has this one ready."
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
