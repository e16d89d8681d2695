"""The published sets that modomodo knows, one file each."""
