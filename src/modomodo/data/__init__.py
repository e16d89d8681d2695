"""From files to rows: domains, your own JSONL and CSV, the published sets, prepared sets, contamination."""
