primary_region = "us-east-1"
