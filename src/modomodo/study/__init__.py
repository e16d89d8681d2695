"""Many runs: plan, carry out, fit, recommend, confirm, check and watch them."""
