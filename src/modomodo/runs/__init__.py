"""Runs: what goes into one, the folder it leaves, and the processes that carry out the missing ones."""
