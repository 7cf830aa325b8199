key_users = ["user1", "user2"]
