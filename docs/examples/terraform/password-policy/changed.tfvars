length = 20
