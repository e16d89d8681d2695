"""Seeds derived by hashing, so that neighbouring seeds share nothing (never `seed + i`)."""

import hashlib
import json

import numpy as np


def child_seed(root: int, *path: str | int) -> int:
    """Return the seed in [0, 2**63) that belongs to `path` under `root`.

    Equal arguments give equal seeds on every machine and Python version; any change gives an unrelated one.
    """
    text = json.dumps([root, *path], separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def child_rng(root: int, *path: str | int) -> np.random.Generator:
    """Return a numpy generator seeded with `child_seed(root, *path)`."""
    return np.random.default_rng(child_seed(root, *path))
