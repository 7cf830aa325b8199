actions = ["keycreate", "keydelete"]
