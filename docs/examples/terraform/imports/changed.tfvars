days = 360
