"""CSV files of runs, as people, spreadsheets and trackers write them: from text to numbers."""
