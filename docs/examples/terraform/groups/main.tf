# Groups of users. The example acls gives permissions to a group. The provider has no resource for the members of a
# group.
#
# The provider's update of a group ends with an error, because it leaves the id unknown. Therefore a change replaces
# the group.

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
  default = "creates and rotates keys"
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
