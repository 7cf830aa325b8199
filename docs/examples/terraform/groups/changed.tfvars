description = "creates, rotates and deletes keys"
