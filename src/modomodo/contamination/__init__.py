"""Training rows that also stand in a benchmark, found by their pictures and their texts; see docs/contamination.md."""

from modomodo.contamination.alike import Alike
from modomodo.contamination.auditing import Audit, audit
from modomodo.exclusions import Match, read_exclusions, write_exclusions

__all__ = ["Alike", "Audit", "Match", "audit", "read_exclusions", "write_exclusions"]
