"""From files to rows: domains, your own JSONL and CSV, published sets, prepared sets, contamination."""
