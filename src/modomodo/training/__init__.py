"""Train along a schedule: with TRL on this machine, or with verl on a Ray cluster."""
