"""Every real row's gold earns 1; what shuffled golds earn is benchmarks/real_rows.py's to show."""

import tomllib
from pathlib import Path

import pytest

from modomodo.config.toml_files import with_data
from modomodo.core.rows import View
from modomodo.data.registry import find_domain
from modomodo.data.sources.source import Source
from modomodo.verifiers import gold_reply

ROOT = Path(__file__).parents[3]
SETS = ROOT / "benchmarks/real_sets.toml"

pytestmark = pytest.mark.skipif(
    not (ROOT / "../shared/data/real").is_dir(),
    reason="the real rows are not there: ../shared/data/real is in no commit",
)


def test_every_gold_earns_1_in_every_frame_and_mode():
    tables = with_data({"data": tomllib.loads(SETS.read_text())}, SETS.parent)["data"]
    sources = {name: Source.model_validate(table) for name, table in tables.items()}
    count = 0
    for name in sources:
        domain = find_domain(name, sources=sources)
        rows = domain.load("train")
        count += len(rows)
        for view in (View(), View(mode="standard"), View(frame="normalised1000"), View(frame="unit")):
            bad = [row.id for row in rows if domain.verify(row, gold_reply(row.target, view), view).reward != 1]
            assert not bad, (name, view, bad)
    assert count == 1312
