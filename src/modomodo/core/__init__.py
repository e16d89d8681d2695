"""Values that travel: rows, mixtures, schedules; and what all else needs: errors, files, seeds, TOML."""
