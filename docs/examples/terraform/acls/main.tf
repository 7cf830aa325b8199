# The actions that a user and a group may perform on the keys of a KMS.
#
# The provider's documentation lists the actions. Every action on keys includes the permission to view them.

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

variable "actions" {
  type    = list(string)
  default = ["keycreate", "keyupdate"]
}

variable "password" {
  type      = string
  sensitive = true
}

# An ACL refers to the KMS by id.
data "ciphertrust_aws_kms_list" "kms" {
  filters = {
    name = var.kms
  }
}

locals {
  kms_id = one(data.ciphertrust_aws_kms_list.kms.kms).id
}

resource "ciphertrust_user" "ann" {
  username = "terraform-acl-ann"
  password = var.password
}

resource "ciphertrust_groups" "operators" {
  name = "terraform-acl-operators"
}

resource "ciphertrust_aws_acl" "ann" {
  kms_id  = local.kms_id
  user_id = ciphertrust_user.ann.id
  actions = ["viewnative"]
}

resource "ciphertrust_aws_acl" "operators" {
  kms_id  = local.kms_id
  group   = ciphertrust_groups.operators.name
  actions = var.actions
}
