"""Every key of a recipe, of a study, and of `--set` for a table of runs."""
