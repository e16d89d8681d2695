"""The command line: its verbs and what they print."""
