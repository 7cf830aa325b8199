regions = ["eu-west-3", "us-east-1"]
