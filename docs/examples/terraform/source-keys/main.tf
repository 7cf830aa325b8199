# Source keys, one for each kind of key that can be imported into AWS.

terraform {
  required_providers {
    ciphertrust = {
      source  = "ThalesGroup/CipherTrust"
      version = "1.0.1"
    }
  }
}

variable "labels" {
  type    = map(string)
  default = { stage = "test" }
}

resource "ciphertrust_cm_key" "symmetric" {
  name      = "terraform-aes"
  algorithm = "aes"
  key_size  = 256
  labels    = var.labels
}

resource "ciphertrust_cm_key" "rsa" {
  name      = "terraform-rsa"
  algorithm = "RSA"
  key_size  = 2048
  labels    = var.labels
}

resource "ciphertrust_cm_key" "curve" {
  name      = "terraform-ec"
  algorithm = "EC"
  curveid   = "prime256v1"
  labels    = var.labels
}

resource "ciphertrust_cm_key" "mac" {
  name      = "terraform-hmac"
  algorithm = "hmac-sha256"
  key_size  = 256
  labels    = var.labels
}

# The material of this key can be imported into AWS, but not exported.
resource "ciphertrust_cm_key" "kept" {
  name         = "terraform-kept"
  algorithm    = "aes"
  key_size     = 256
  unexportable = true
}
