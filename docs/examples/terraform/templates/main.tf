# A key policy template, and a key that uses it. With `auto_push`, a change of the template changes the policies of
# all its keys.

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
  default = ["user1"]
}

# A template refers to the KMS by id.
data "ciphertrust_aws_kms_list" "kms" {
  filters = {
    name = var.kms
  }
}

resource "ciphertrust_aws_policy_template" "operators" {
  name             = "terraform-operators"
  kms              = one(data.ciphertrust_aws_kms_list.kms.kms).id
  key_admins       = ["user1"]
  key_users        = var.key_users
  key_admins_roles = ["role1"]
  key_users_roles  = ["role2"]
  auto_push        = true
}

resource "ciphertrust_aws_key" "key" {
  kms    = var.kms
  region = var.region
  alias  = ["terraform-templated"]

  key_policy {
    policy_template = ciphertrust_aws_policy_template.operators.id
  }
}
