"""`modomodo init`: from your rows to a recipe and a study."""
