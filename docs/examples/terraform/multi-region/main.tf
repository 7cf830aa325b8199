# Multi-region keys: the same material in two regions, made by AWS or brought from here.
#
# The primary region moves to where `primary_region` says. Without that, it stays where the first key was made.

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

variable "other_region" {
  type    = string
  default = "us-east-1"
}

variable "primary_region" {
  type    = string
  default = "eu-west-3"
}

resource "ciphertrust_aws_key" "first" {
  kms          = var.kms
  region       = var.region
  alias        = ["terraform-everywhere"]
  multi_region = true
}

resource "ciphertrust_aws_key" "replica" {
  region         = var.other_region
  alias          = ["terraform-everywhere"]
  description    = "replica of terraform-everywhere"
  primary_region = var.primary_region

  replicate_key {
    key_id = ciphertrust_aws_key.first.key_id
  }
}

# A replica of a key with material from here needs that material, too.
resource "ciphertrust_cm_key" "source" {
  name      = "terraform-everywhere-2026"
  algorithm = "aes"
  key_size  = 256
}

resource "ciphertrust_aws_key" "brought" {
  kms          = var.kms
  region       = var.region
  alias        = ["terraform-everywhere-byok"]
  multi_region = true

  upload_key {
    source_key_identifier = ciphertrust_cm_key.source.id
  }
}

resource "ciphertrust_aws_key" "brought_replica" {
  region = var.other_region
  alias  = ["terraform-everywhere-byok"]

  replicate_key {
    key_id              = ciphertrust_aws_key.brought.key_id
    import_key_material = true
  }
}
