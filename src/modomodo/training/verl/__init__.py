"""Training by verl, on a Ray cluster."""
