suffix  = "-renamed"
link    = true
blocked = true
