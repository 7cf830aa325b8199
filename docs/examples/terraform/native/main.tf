# Keys with material that AWS generates: one for encryption, and one for signatures.
#
# The destruction of a key schedules its deletion in AWS.

terraform {
  required_providers {
    ciphertrust = {
      source  = "ThalesGroup/CipherTrust"
      version = "1.0.1"
    }
  }
}

variable "kms" {
  type        = string
  description = "Name of the KMS; this is the one of the example kms."
  default     = "terraform"
}

variable "region" {
  type    = string
  default = "eu-west-3"
}

variable "description" {
  type    = string
  default = "salaries"
}

variable "aliases" {
  type    = list(string)
  default = ["terraform-payroll"]
}

variable "enabled" {
  type    = bool
  default = true
}

variable "tags" {
  type    = map(string)
  default = { Team = "payroll" }
}

resource "ciphertrust_aws_key" "encrypts" {
  kms                        = var.kms
  region                     = var.region
  alias                      = var.aliases
  description                = var.description
  enable_key                 = var.enabled
  tags                       = var.tags
  schedule_for_deletion_days = 7
}

resource "ciphertrust_aws_key" "signs" {
  kms                      = var.kms
  region                   = var.region
  alias                    = ["terraform-releases"]
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
}

# A data source finds a key by its alias, its id in AWS, or its id in Claviger.
data "ciphertrust_aws_key" "encrypts" {
  key_id = ciphertrust_aws_key.encrypts.key_id
}

output "arn" {
  value = data.ciphertrust_aws_key.encrypts.arn
}
