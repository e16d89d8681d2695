"""Train with verl, on a Ray cluster."""
