"""What this machine has to run on: cores and GPUs. Looks without torch."""

import os
import subprocess


def cores() -> int:
    """Return how many cores this process may use."""
    # Not on every system, and less than cpu_count where a scheduler gives only some cores.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> tuple[str, ...]:
    """Return the GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES takes."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name.strip() for name in visible.split(",") if name.strip() not in ("", "-1"))
    # Not by torch: a process that has looked for GPUs holds them, and its forks cannot use them.
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        listing = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(listing.stdout.split())
