"""The tasks that lmms-eval runs in its own environment: `base.yaml` is a task, and the functions it names are here."""
