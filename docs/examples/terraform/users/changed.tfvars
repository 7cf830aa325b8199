users = { "terraform-ann" = "Ann Birch", "terraform-bob" = "Bob Oak" }
