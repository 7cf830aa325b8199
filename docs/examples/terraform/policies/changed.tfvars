key_users = ["user2"]
actions   = ["kms:Decrypt", "kms:DescribeKey"]
