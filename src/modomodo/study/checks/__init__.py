"""What can be wrong before a run starts: a file for each subject; study/preflight.py runs them all."""
