# Schedules for the rotation of keys and for the synchronisation with AWS.

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

variable "at" {
  type        = string
  description = "The time of the rotation, in the format of cron."
  default     = "0 3 * * sat"
}

variable "everything" {
  type        = bool
  description = "Whether to synchronise all KMSs instead of this one."
  default     = false
}

# A schedule refers to the KMS by id.
data "ciphertrust_aws_kms_list" "kms" {
  filters = {
    name = var.kms
  }
}

# This one rotates only the keys whose material expires within 30 days.
resource "ciphertrust_scheduler" "rotation" {
  name        = "terraform-rotation"
  description = "rotates keys that expire soon"
  operation   = "cckm_key_rotation"
  run_at      = var.at
  run_on      = "any"
  start_date  = "2026-01-01T00:00:00Z"
  end_date    = "2040-01-01T00:00:00Z"

  cckm_key_rotation_params {
    cloud_name = "aws"
    expire_in  = "30d"
    expiration = "365d"
  }
}

resource "ciphertrust_scheduler" "synchronization" {
  name      = "terraform-synchronization"
  operation = "cckm_synchronization"
  run_at    = "0 2 * * *"

  cckm_synchronization_params {
    cloud_name      = "aws"
    kms             = var.everything ? [] : [one(data.ciphertrust_aws_kms_list.kms.kms).id]
    synchronize_all = var.everything
  }
}
