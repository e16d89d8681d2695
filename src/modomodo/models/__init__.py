"""Models: names, families, loading and parts. The embedded models are in `nano`."""
