# Bring your own key: source keys that Claviger generates, and keys in AWS with their material.
#
# The destruction of this plan deletes the source keys immediately, and schedules the deletion of the keys in AWS. Use
# `lifecycle { prevent_destroy = true }` on a source key to keep its material.

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

variable "description" {
  type    = string
  default = "cards"
}

resource "ciphertrust_cm_key" "source" {
  name      = "terraform-cards-2026"
  algorithm = "aes"
  key_size  = 256
}

resource "ciphertrust_aws_key" "cards" {
  kms         = var.kms
  region      = var.region
  alias       = ["terraform-cards"]
  description = var.description
  tags        = { Scheme = "cards" }

  upload_key {
    source_key_identifier = ciphertrust_cm_key.source.id
  }
}

# Material that expires in AWS, after at most a year. `ignore_changes` keeps the date of the first plan.
resource "terraform_data" "valid_to" {
  input = timeadd(plantimestamp(), "${24 * 360}h")

  lifecycle {
    ignore_changes = [input]
  }
}

resource "ciphertrust_cm_key" "expiring" {
  name      = "terraform-project-2026"
  algorithm = "RSA"
  key_size  = 2048
}

resource "ciphertrust_aws_key" "project" {
  kms                      = var.kms
  region                   = var.region
  alias                    = ["terraform-project"]
  customer_master_key_spec = "RSA_2048"

  upload_key {
    source_key_identifier = ciphertrust_cm_key.expiring.id
    key_expiration        = true
    valid_to              = terraform_data.valid_to.output
  }
}
