"""A user's own rows: JSONL, CSV, Parquet, folders and the hub, by columns."""
