"""Many runs: plan them, run them, fit, recommend, confirm, check, watch."""
