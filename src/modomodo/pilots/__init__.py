"""Pilots: which runs a study needs, the folder each one leaves, and the processes that run the missing ones."""
