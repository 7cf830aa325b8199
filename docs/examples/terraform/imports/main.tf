# Material that is imported into a key without material, and imported again with another date of expiry.
#
# The block `import_key_material` of `ciphertrust_aws_key` does this in one step, but it creates a source key that is
# in no state and that the destruction of the plan leaves behind.

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

variable "days" {
  type        = number
  description = "Days until the material expires; at most 365."
  default     = 300
}

# `ignore_changes` keeps the date of the first plan until `days` changes.
resource "terraform_data" "valid_to" {
  input            = timeadd(plantimestamp(), "${24 * var.days}h")
  triggers_replace = var.days

  lifecycle {
    ignore_changes = [input]
  }
}

resource "ciphertrust_cm_key" "source" {
  name      = "terraform-archive-2026"
  algorithm = "aes"
  key_size  = 256
}

resource "ciphertrust_aws_key" "archive" {
  kms    = var.kms
  region = var.region
  alias  = ["terraform-archive"]
  origin = "EXTERNAL"
}

# Without `import_type`, AWS accepts the material that the key already has.
resource "ciphertrust_aws_key_import_material" "archive" {
  key_id = ciphertrust_aws_key.archive.key_id

  import_key_material {
    source_key_identifier = ciphertrust_cm_key.source.id
    key_expiration        = true
    valid_to              = terraform_data.valid_to.output
  }
}
