"""A prepared set of the four benchmarks, small enough to know every row."""

import io
import json
from pathlib import Path

from PIL import Image

from modomodo.data.domain import Domain
from modomodo.data.prepared import prepare
from modomodo.data.sources.prompts import ask
from modomodo.evaluation.lmms.docs import row_of

# (verifier, gold, options) of the rows of each benchmark; the reply of the tests' model is 12.
GOLDS = {
    "chartqa": [("relaxed", gold, ()) for gold in ("12", "12.5", "13", "1,200", "0.12", "12%", "twelve", "11.9")],
    "infovqa": [("anls", gold, ()) for gold in (("12",), ("12 m", "about 12"), ("120", "99"), ("May", "x12"))] * 2,
    "mathvista": [
        ("number", 12, ()),
        ("number", 12.0001, ()),
        ("text", "12", ()),
        ("choice", "B", ("11", "12")),
        ("choice", "A", ("11", "12")),
        ("text", "yes", ()),
    ],
    "mmmu": [
        ("text", "12", ()),
        ("text", ("twelve", "12.0"), ()),
        ("choice", "A", ("12", "13", "14")),
        ("choice", "C", tuple(f"option {place} <image {place}>" for place in range(1, 10))),
        ("text", "13", ()),
        ("text", "1", ()),
    ],
}


def record(benchmark: str, place: int, *, verifier: str, gold: object, options: tuple[str, ...], pictures: int = 1):
    """Return a row as it is stored."""
    return {
        "id": f"{benchmark}-é-{place}",
        "domain": benchmark,
        "question": f"Question {place} of <image 1>?",
        "verifier": verifier,
        "value": json.dumps(gold),
        "options": list(options),
        "image_size": [64, 48],
        "tolerance": None,
        "images": [{"bytes": picture(40 * number), "path": None} for number in range(pictures)],
    }


def records(benchmark: str) -> list[dict]:
    """Return the rows of a benchmark; those of mmmu have one image, two, and so on."""
    return [
        record(
            benchmark,
            place,
            verifier=verifier,
            gold=gold,
            options=options,
            pictures=place + 1 if benchmark == "mmmu" else 1,
        )
        for place, (verifier, gold, options) in enumerate(GOLDS[benchmark])
    ]


def domain(benchmark: str) -> Domain:
    """Return a benchmark as a domain of ours."""
    rows = [row_of(one) for one in records(benchmark)]
    return Domain(benchmark, load=lambda split: rows, prompt=ask, splits=("test",))


def write(folder: Path) -> Path:
    """Prepare all benchmarks; return the folder."""
    prepare({name: domain(name) for name in GOLDS}, folder)
    return folder


def picture(red: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()
