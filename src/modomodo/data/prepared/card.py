"""The card of a prepared set: README.md with the front matter that the Hugging Face hub reads."""

import json
import re

from modomodo.data.prepared.manifest import DROPPED, Manifest

WORDS = {"duplicate": "the same question, gold and image as an earlier row of the split"}


def card(manifest: Manifest) -> str:
    """Return the text of README.md; it depends on the manifest alone."""
    return "\n".join([*_front_matter(manifest), "", *_body(manifest), "", *_files(manifest), ""])


def _front_matter(manifest: Manifest) -> list[str]:
    lines = ["---", *_licence("unknown" if manifest.origin is None else manifest.origin.licence)]
    lines += ["tags:", "- modomodo", "configs:", "- config_name: default", "  data_files:"]
    for split in manifest.splits:
        lines += [f"  - split: {split}", f"    path: {split}-*.parquet"]
    lines += ["dataset_info:", "  splits:"]
    for split, facts in manifest.splits.items():
        size = sum(manifest.files[shard].bytes for shard in facts.shards)
        lines += [f"  - name: {split}", f"    num_bytes: {size}", f"    num_examples: {facts.rows}"]
    return [*lines, "---"]


def _licence(text: str) -> list[str]:
    """Return the lines of a licence: the hub knows short names such as apache-2.0."""
    name = text.lower()
    if re.fullmatch(r"[a-z][a-z0-9.-]*", name):
        return [f"license: {name}"]
    return ["license: other", f"license_name: {json.dumps(text)}"]


def _body(manifest: Manifest) -> list[str]:
    origin = manifest.origin
    lines = [
        f"# {manifest.name}",
        "",
        "One domain's rows as modomodo trains and scores on them, images inside; written by `modomodo data prepare`.",
        "",
    ]
    if origin is None:
        lines += ["- Source: not stated"]
    else:
        lines += [f"- Source: {_line(origin.source)}", f"- Revision: {_line(origin.revision or 'not stated')}"]
        lines += [f"- Licence: {_line(origin.licence)}"]
        sizes = ", ".join(f"{split} {rows:,}" for split, rows in origin.sizes.items())
        lines += [f"- Rows that the source states: {sizes}"] if sizes else []
    lines += ["", "| split | rows | read | dropped | verifiers | images | MB | width | height |", "|" + "---|" * 9]
    for split, facts in manifest.splits.items():
        verifiers = ", ".join(f"{name} {count:,}" for name, count in facts.verifiers.items())
        (narrow, low), (wide, high) = facts.pixels or ((0, 0), (0, 0))
        cells = (split, f"{facts.rows:,}", f"{facts.read:,}", f"{facts.read - facts.rows:,}", verifiers)
        pictures = (f"{facts.pictures:,}", f"{facts.picture_bytes / 1e6:.1f}", f"{narrow}-{wide}", f"{low}-{high}")
        lines += ["| " + " | ".join((*cells, *pictures)) + " |"]
    lines += ["", f"Dropped ({DROPPED} names every row):" if manifest.dropped else "No row was dropped."]
    lines += [f"- {count:,} {reason}: {WORDS.get(reason, _leak(reason))}" for reason, count in manifest.dropped.items()]
    return lines + _notes(manifest)


def _notes(manifest: Manifest) -> list[str]:
    """Return the notes as verbatim text: they may quote rows."""
    notes = [f"{split}: {note}" for split, facts in manifest.splits.items() for note in facts.notes]
    return ["", "Notes:", "", *(f"    {line}" for note in notes for line in note.splitlines())] if notes else []


def _leak(reason: str) -> str:
    return f"the question and image of a row of train are {reason} too"


def _files(manifest: Manifest) -> list[str]:
    lines = ["| file | rows | bytes | SHA-256 |", "|---|---|---|---|"]
    for facts in manifest.splits.values():
        for shard, rows in facts.shards.items():
            file = manifest.files[shard]
            lines.append(f"| {shard} | {rows:,} | {file.bytes:,} | {file.sha256} |")
    return lines


def _line(text: str) -> str:
    return " ".join(text.split())
