# Groups of users. What a group may do is in the example acls; the provider has nothing that puts a user into one.
#
# The provider changes a group, but then takes its own answer for incomplete. Here a change replaces the group.

terraform {
  required_providers {
    ciphertrust = {
      source  = "ThalesGroup/CipherTrust"
      version = "1.0.1"
    }
  }
}

variable "description" {
  type    = string
  default = "makes and rotates keys"
}

resource "terraform_data" "description" {
  input = var.description
}

resource "ciphertrust_groups" "officers" {
  name        = "terraform-key-officers"
  description = var.description

  lifecycle {
    replace_triggered_by = [terraform_data.description]
  }
}
