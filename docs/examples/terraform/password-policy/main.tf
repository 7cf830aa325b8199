# A password policy besides the global one.
#
# The provider cannot update a policy, so a change replaces it. It compares every member with the server's answer, so
# the plan must set all of them.

terraform {
  required_providers {
    ciphertrust = {
      source  = "ThalesGroup/CipherTrust"
      version = "1.0.1"
    }
  }
}

variable "length" {
  type    = number
  default = 14
}

resource "terraform_data" "rules" {
  input = var.length
}

resource "ciphertrust_password_policy" "machines" {
  policy_name                      = "terraform-machines"
  inclusive_min_total_length       = var.length
  inclusive_max_total_length       = 128
  inclusive_min_upper_case         = 1
  inclusive_min_lower_case         = 1
  inclusive_min_digits             = 1
  inclusive_min_other              = 0
  password_history_threshold       = 5
  password_lifetime                = 90
  password_change_min_days         = 1
  failed_logins_lockout_thresholds = [0, 0, 5, 30]

  lifecycle {
    replace_triggered_by = [terraform_data.rules]
  }
}
