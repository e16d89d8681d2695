"""The numbers of the report: curves, effects, surfaces, and how a number is written."""
