"""Which records are held out as a test split: whole groups that share content, drawn by a hash, so that none leaks."""

import hashlib
from collections.abc import Iterable

from modomodo.core.errors import ModomodoError


def held_out(contents: Iterable[tuple[int, bytes]], share: float, *, place: str) -> frozenset[int]:
    """Return the numbers of the records held out, about `share` of the groups.

    `contents` are hashes of what the records show, each with the number of its record; records that have one in common,
    directly or by others, are a group. A group is drawn by a hash of its least hash. Which is least depends on how many
    it has, so the least hash itself would favour groups of many.

    Raises ModomodoError when one side is empty; `place` says of which source.
    """
    parents: dict[bytes, bytes] = {}
    homes: dict[int, bytes] = {}
    for number, content in contents:
        root = _root(parents, content)
        home = _root(parents, homes.setdefault(number, root))
        parents[max(home, root)] = min(home, root)
    roots = {number: _root(parents, home) for number, home in homes.items()}
    limit = share * 2**64
    out = frozenset(n for n, root in roots.items() if int.from_bytes(short_hash(root)[:8], "big") < limit)
    if roots and len(out) in (0, len(roots)):
        raise ModomodoError(
            f"{place}: holdout = {share} leaves {'train' if out else 'test'} without rows ({len(roots)} records in "
            f"{len(set(roots.values()))} groups that share an image, or a question without one); change holdout, or "
            "name a test split in splits"
        )
    return out


def short_hash(data: bytes) -> bytes:
    """Return a hash of 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _root(parents: dict[bytes, bytes], one: bytes) -> bytes:
    while parents.setdefault(one, one) != one:
        one = parents[one]
    return one
