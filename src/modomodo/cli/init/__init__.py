"""`modomodo init`: from a table of your rows to a recipe."""
