"""What a recipe, a study and the settings of a table may say."""
