"""Training rows that also appear in a benchmark, found by their images and texts; see docs/contamination.md."""

from modomodo.data.contamination.alike import Alike
from modomodo.data.contamination.exclusions import Match, read_exclusions, write_exclusions
from modomodo.data.contamination.fingerprints import look, look_all
from modomodo.data.contamination.overlap import Audit, audit
from modomodo.data.contamination.pictures import Album, distances, likeness

__all__ = [
    "Album",
    "Alike",
    "Audit",
    "Match",
    "audit",
    "distances",
    "likeness",
    "look",
    "look_all",
    "read_exclusions",
    "write_exclusions",
]
