"""Runs: what goes into one, the folder it leaves, and the processes that run the missing ones."""
