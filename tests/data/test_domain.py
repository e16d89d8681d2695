import io
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from modomodo.core.rows import Row, Target, Verdict, View
from modomodo.data.domain import Domain, check


def picture(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(buffer, format="PNG")
    return buffer.getvalue()


def row(split: str, index: int) -> Row:
    image = picture((index, 0, 100 * (split == "test")))
    return Row(f"{split}-{index}", "toy", f"Which? {split}", Target("choice", "B", options=("x", "y")), (image,))


ROWS = {split: [row(split, index) for index in range(3)] for split in ("train", "test")}


def toy(rows=ROWS, **changes) -> Domain:
    domain = Domain(
        "toy",
        lambda split: rows[split],
        lambda row, view: [
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row.question}]},
        ],
    )
    return replace(domain, **changes)


def problems(domain: Domain) -> str:
    return "\n".join(map(str, check(domain)))


def changed(split: str, index: int, **changes) -> Domain:
    rows = {name: list(found) for name, found in ROWS.items()}
    rows[split][index] = replace(rows[split][index], **changes)
    return toy(rows)


def test_a_sound_domain_has_no_problems():
    assert check(toy()) == ()


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (changed("test", 1, id="train-0"), r"toy \(test\), row train-0: the id is in train already"),
        (changed("test", 1, images=ROWS["train"][2].images, question="Which? train"), "is row train-2 of train"),
        (
            changed("test", 1, images=ROWS["train"][2].images, question="Which? train", target=Target("text", "z")),
            "test-1: the same question and image is row train-2 of train",
        ),
        (changed("train", 1, id="a\nb"), "the id .* has control characters"),
        (changed("train", 1, question="a\ud800"), "question: .* has half a character"),
        (changed("train", 1, target=Target("number", math.nan)), "the gold is nan"),
        (
            changed("train", 1, images=(b"no image",)),
            r"row train-1: the image \(8 bytes\) is unreadable: it begins with b.no image.",
        ),
        (changed("train", 1, images=(Path("lost.png"),)), r"the image lost.png does not exist"),
        (changed("train", 1, images=()), "0 images and 1 placeholders"),
        (changed("train", 1, target=Target("choice", "Q", options=("x", "y"))), "gold 'Q' cannot be graded"),
        (changed("train", 1, target=Target("number", "many")), "gold 'many' cannot be graded by 'number'"),
        (toy({"train": [], "test": ROWS["test"]}), r"toy \(train\): has no rows"),
        (toy(verify=lambda row, reply, view: Verdict.right(reply)), "junk reply .* earns 1.0, not 0"),
        (toy(verify=lambda row, reply, view: Verdict.wrong(reply, "never")), "the gold 'B' earns 0.0, not 1: never"),
    ],
)
def test_check_finds_it_and_says_where(domain, message):
    found = problems(domain)
    assert re.search(message, found), found


def test_repeats_within_a_split_are_one_note():
    again = [replace(ROWS["test"][1], id=f"again-{k}", target=Target("text", str(k))) for k in range(5)]
    (found,) = check(toy({"train": ROWS["train"], "test": [*ROWS["test"], *again]}))
    assert found.level == "note"
    assert str(found).startswith(
        "toy (test): 5 rows repeat the question and image of another one (again-0, again-1, again-2 and others), so"
    )


def test_every_domain_of_ours_is_declared_soundly():
    from modomodo.data.registry import DOMAINS

    for name, domain in DOMAINS.items():
        assert domain.name == name
        if domain.origin is not None:
            continue  # on the hub; tests/domains has small sets of the same columns
        few = replace(domain, load=lambda split, load=domain.load: load(split)[:40])
        assert check(few, View()) == ()
