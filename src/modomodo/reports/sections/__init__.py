"""The sections of the report, in one file each."""
