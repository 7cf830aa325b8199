# Key policies: one that Claviger composes from users and roles of the account, and one as JSON.

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

variable "key_users" {
  type    = list(string)
  default = ["user1", "user2"]
}

variable "actions" {
  type    = list(string)
  default = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"]
}

data "ciphertrust_aws_kms_list" "kms" {
  filters = {
    name = var.kms
  }
}

locals {
  account = one(data.ciphertrust_aws_kms_list.kms.kms).account_id
}

resource "ciphertrust_aws_key" "people" {
  kms    = var.kms
  region = var.region
  alias  = ["terraform-people"]

  key_policy {
    key_admins       = ["user1"]
    key_users        = var.key_users
    key_admins_roles = ["role1"]
    key_users_roles  = ["role2"]
  }
}

resource "ciphertrust_aws_key" "policy" {
  kms    = var.kms
  region = var.region
  alias  = ["terraform-policy"]

  key_policy {
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "IAM policies of the account apply"
          Effect    = "Allow"
          Principal = { AWS = "arn:aws:iam::${local.account}:root" }
          Action    = "kms:*"
          Resource  = "*"
        },
        {
          Sid       = "A role may use the key"
          Effect    = "Allow"
          Principal = { AWS = "arn:aws:iam::${local.account}:role/role1" }
          Action    = var.actions
          Resource  = "*"
        },
      ]
    })
  }
}
