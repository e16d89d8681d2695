"""Training rows that also appear in a benchmark, found by their images and texts; see docs/contamination.md."""

from modomodo.data.contamination.alike import Alike
from modomodo.data.contamination.exclusions import Match, read_exclusions, write_exclusions
from modomodo.data.contamination.overlap import Audit, audit

__all__ = ["Alike", "Audit", "Match", "audit", "read_exclusions", "write_exclusions"]
