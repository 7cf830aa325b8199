at         = "30 3 * * sun"
everything = true
