"""Training along a schedule: by TRL on this machine, by verl on a Ray cluster."""
