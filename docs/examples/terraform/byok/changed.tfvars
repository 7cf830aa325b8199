description = "cards, and nothing else"
