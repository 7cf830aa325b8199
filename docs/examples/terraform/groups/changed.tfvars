description = "makes, rotates and deletes keys"
