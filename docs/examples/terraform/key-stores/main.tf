# External key stores, and keys in them whose material never leaves Claviger.
#
# AWS deletes a key 7 days after it is destroyed here, and a key store only once it has no keys and is disconnected. So the
# way back has steps: apply with `keys = false`; after 7 days delete the entries of the keys that are gone; apply with
# `connection = "DISCONNECT_KEYSTORE"`; destroy.

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

variable "endpoint" {
  type        = string
  description = "Where AWS reaches the XKS proxy: a name in the public DNS, port 443."
  default     = "https://xks.example.com"
}

variable "connection" {
  type    = string
  default = "CONNECT_KEYSTORE"
}

variable "keys" {
  type    = bool
  default = true
}

variable "link" {
  type        = bool
  description = "Whether AWS knows the second key."
  default     = false
}

variable "blocked" {
  type    = bool
  default = false
}

variable "suffix" {
  type    = string
  default = ""
}

# The material. It is encrypted and decrypted with in Claviger only, and cannot be deleted by mistake.
resource "ciphertrust_cm_key" "material" {
  name                         = "terraform-hyok"
  algorithm                    = "AES"
  key_size                     = 256
  usage_mask                   = 12
  unexportable                 = true
  undeletable                  = true
  remove_from_state_on_destroy = true
}

# AWS does not know this store: it is for a store that somebody else makes at AWS.
resource "ciphertrust_aws_custom_keystore" "unlinked" {
  name   = "terraform-unlinked${var.suffix}"
  kms    = var.kms
  region = var.region

  aws_param {
    custom_key_store_type               = "EXTERNAL_KEY_STORE"
    xks_proxy_connectivity              = "VPC_ENDPOINT_SERVICE"
    xks_proxy_uri_endpoint              = var.endpoint
    xks_proxy_vpc_endpoint_service_name = "com.amazonaws.vpce.eu-west-3.vpce-svc-0123456789abcdef0"
  }

  local_hosted_params {
    health_check_key_id = ciphertrust_cm_key.material.id
    max_credentials     = 4
    source_key_tier     = "local"
  }
}

resource "ciphertrust_aws_xks_key" "unlinked" {
  alias = ["terraform-hyok-unlinked"]

  local_hosted_params {
    custom_key_store_id = ciphertrust_aws_custom_keystore.unlinked.id
    source_key_id       = ciphertrust_cm_key.material.id
    source_key_tier     = "local"
    linked              = false
    blocked             = var.blocked
  }
}

# AWS is connected to this store.
resource "ciphertrust_aws_custom_keystore" "linked" {
  name                        = "terraform-linked${var.suffix}"
  kms                         = var.kms
  region                      = var.region
  linked_state                = true
  connect_disconnect_keystore = var.connection

  aws_param {
    custom_key_store_type  = "EXTERNAL_KEY_STORE"
    xks_proxy_connectivity = "PUBLIC_ENDPOINT"
    xks_proxy_uri_endpoint = var.endpoint
  }

  local_hosted_params {
    health_check_key_id = ciphertrust_cm_key.material.id
    max_credentials     = 4
    source_key_tier     = "local"
  }
}

resource "ciphertrust_aws_xks_key" "linked" {
  count       = var.keys ? 1 : 0
  alias       = ["terraform-hyok-linked"]
  description = "AWS asks for each encryption${var.suffix}"

  local_hosted_params {
    custom_key_store_id = ciphertrust_aws_custom_keystore.linked.id
    source_key_id       = ciphertrust_cm_key.material.id
    source_key_tier     = "local"
    linked              = true
    blocked             = var.blocked
  }

  tags = {
    stage = "test"
  }
}

resource "ciphertrust_aws_xks_key" "later" {
  count = var.keys ? 1 : 0
  alias = ["terraform-hyok-later"]

  local_hosted_params {
    custom_key_store_id = ciphertrust_aws_custom_keystore.linked.id
    source_key_id       = ciphertrust_cm_key.material.id
    source_key_tier     = "local"
    linked              = var.link
    blocked             = false
  }
}
