description = "salaries and pensions"
aliases     = ["terraform-payroll", "terraform-pensions"]
enabled     = false
tags        = { Team = "payroll", Stage = "test" }
