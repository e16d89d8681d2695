"""The models: names, families, loading, their parts; and the embedded one."""
