"""Completions that cannot be graded, because the gold or the verifier failed: kept, and the end of a run with many."""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from modomodo.core.errors import ModomodoError
from modomodo.core.files import write_text
from modomodo.core.rows import Verdict
from modomodo.training.step_log import Step

WINDOW = 1000  # verdicts of a domain that count towards its share of ungradable ones
WINDOW_START = 200  # verdicts before the share means anything
LIMIT = 0.01


class Ungradable:
    """Counts the ungradable verdicts of each domain among its last 1,000, and keeps them with their tracebacks."""

    def __init__(self, domains: Iterable[str], *, keep: Path | None = None) -> None:
        """`keep` is the JSONL file that they go to."""
        self._keep = keep
        self._recent = {name: deque[bool](maxlen=WINDOW) for name in domains}

    def count(self, domain: str, row_id: str, completion: str, verdict: Verdict) -> None:
        """Take in the verdict on a completion."""
        self._recent[domain].append(verdict.status == "ungradable")
        if verdict.status == "ungradable" and self._keep is not None:
            line = {"domain": domain, "row_id": row_id, "completion": completion, **asdict(verdict)}
            with self._keep.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def check(self) -> None:
        """Raise ModomodoError where a domain has passed 1 % of its last 1,000 verdicts, from 200 on."""
        for name, recent in self._recent.items():
            count = sum(recent)
            if len(recent) >= WINDOW_START and count > LIMIT * len(recent):
                where = f"; rows and tracebacks are in {self._keep}" if self._keep else ""
                raise ModomodoError(
                    f"domain {name}: {count} of the last {len(recent)} verdicts are ungradable (limit 1 %): its gold "
                    f"or its verifier is broken. Run `modomodo check` on it{where}"
                )

    def resume(self, steps: Sequence[Step]) -> None:
        """Take up where these steps end, after a kill; drops what was kept of later ones."""
        for name, done in ((name, done) for step in steps for name, done in step.domains.items()):
            broken = done.ungradable
            self._recent[name].extend([True] * broken + [False] * (done.completions - broken))
        if self._keep is not None and self._keep.exists():
            kept = sum(done.ungradable for step in steps for done in step.domains.values())
            write_text(self._keep, "".join(self._keep.read_text().splitlines(keepends=True)[:kept]))
