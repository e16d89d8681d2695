"""Your own rows, described by columns: JSONL, CSV, Parquet, folders, the hub."""
