round = 2
at    = "0 4 1 1 *"
