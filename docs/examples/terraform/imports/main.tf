# Material that is imported into a key that has none yet, and imported again with another date of expiry.
#
# `ciphertrust_aws_key` has a block `import_key_material`, too. It makes a source key that is in no state and that stays
# when the plan is destroyed, so the two are made one by one here.

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
  description = "After how many days AWS forgets the material; it takes 365 at most."
  default     = 300
}

# The date stays what it was at first, until `days` changes.
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

# The same material, and no import_type: AWS takes it for what it is, material that the key has.
resource "ciphertrust_aws_key_import_material" "archive" {
  key_id = ciphertrust_aws_key.archive.key_id

  import_key_material {
    source_key_identifier = ciphertrust_cm_key.source.id
    key_expiration        = true
    valid_to              = terraform_data.valid_to.output
  }
}
