# Users of Claviger.
#
# The provider does not perform updates of users, it only records them in the state. Therefore a change replaces the
# user.

terraform {
  required_providers {
    ciphertrust = {
      source  = "ThalesGroup/CipherTrust"
      version = "1.0.1"
    }
  }
}

variable "users" {
  type    = map(string)
  default = { "terraform-ann" = "Ann Ash" }
}

variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "user" {
  for_each = var.users
  input    = each.value
}

resource "ciphertrust_user" "user" {
  for_each                 = var.users
  username                 = each.key
  name                     = each.value
  email                    = "${each.key}@example.com"
  password                 = var.password
  password_change_required = true

  lifecycle {
    replace_triggered_by = [terraform_data.user[each.key]]
  }
}
