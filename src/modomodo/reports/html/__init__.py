"""The HTML of the report: escaping, blocks and images."""
