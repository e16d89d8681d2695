"""What lmms-eval runs: our tasks, in its own environment. `base.yaml` is a task, the functions it names are here."""
