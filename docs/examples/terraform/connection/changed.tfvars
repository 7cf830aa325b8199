description = "replaced with Terraform"
