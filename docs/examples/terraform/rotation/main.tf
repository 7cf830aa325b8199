# The three kinds of rotation: automatic by AWS, on demand, and by a schedule.
#
# Each new value of `round` rotates the key on demand again.

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

variable "round" {
  type    = number
  default = 1
}

variable "at" {
  type        = string
  description = "The schedule's time, in the format of cron."
  default     = "0 3 1 1 *"
}

resource "ciphertrust_aws_key" "by_aws" {
  kms                          = var.kms
  region                       = var.region
  alias                        = ["terraform-rotated-by-aws"]
  auto_rotate                  = true
  auto_rotation_period_in_days = 365
}

resource "ciphertrust_aws_key" "now" {
  kms    = var.kms
  region = var.region
  alias  = ["terraform-rotated-now"]
}

resource "terraform_data" "round" {
  input = var.round
}

resource "ciphertrust_aws_key_rotation" "now" {
  key_id = ciphertrust_aws_key.now.key_id

  lifecycle {
    replace_triggered_by = [terraform_data.round]
  }
}

data "ciphertrust_aws_key_rotation_list" "now" {
  key_id     = ciphertrust_aws_key.now.key_id
  depends_on = [ciphertrust_aws_key_rotation.now]
}

output "rotations" {
  value = data.ciphertrust_aws_key_rotation_list.now.matched
}

resource "ciphertrust_scheduler" "yearly" {
  name      = "terraform-yearly"
  operation = "cckm_key_rotation"
  run_at    = var.at

  cckm_key_rotation_params {
    cloud_name       = "aws"
    aws_retain_alias = true
  }
}

resource "ciphertrust_cm_key" "source" {
  name      = "terraform-rotated-2026"
  algorithm = "aes"
  key_size  = 256
}

resource "ciphertrust_aws_key" "scheduled" {
  kms    = var.kms
  region = var.region
  alias  = ["terraform-rotated-yearly"]

  upload_key {
    source_key_identifier = ciphertrust_cm_key.source.id
  }

  # The new material comes from Claviger.
  enable_rotation {
    job_config_id = ciphertrust_scheduler.yearly.id
    key_source    = "ciphertrust"
  }
}
