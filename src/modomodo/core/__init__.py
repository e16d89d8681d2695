"""Values that travel: rows, mixtures, schedules. And what everything needs: errors, files, seeds, TOML."""
