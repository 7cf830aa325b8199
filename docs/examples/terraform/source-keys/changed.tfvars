labels = { stage = "production", owner = "payroll" }
