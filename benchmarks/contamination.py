"""Planted contamination found again, and how fast images are hashed and compared.

    python benchmarks/contamination.py plant    # real rows of ../shared/data/real: benchmarks/results/contamination.csv
    python benchmarks/contamination.py margins  # how far copies and other images lie from the two thresholds
    python benchmarks/contamination.py hash     # 20,000 distinct files of real photos, 2 processes
    python benchmarks/contamination.py compare  # 30,000 made-up training rows against 7,000; easy-VQA's own split

Planting: a domain's different images are dealt into halves. The first are training. The benchmark is the second and
copies of half of the training images, changed in one way: with another question for photos, else with their own.
"""

import csv
import io
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from modomodo import DOMAINS, Row, Target
from modomodo.core import open_image
from modomodo.data.contamination import Album, audit, distances, likeness, look, look_all

REAL = Path(__file__).parents[1] / ".." / "shared" / "data" / "real"
RESULTS = Path(__file__).parent / "results" / "contamination.csv"
PHOTOS = ("bccd", "coco128_detection")
SEEDS = range(5)


def real_rows(domain: str) -> list[Row]:
    """Return a domain's rows; images are paths."""
    folder = REAL / domain
    found = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    return [
        Row(
            one["id"],
            domain,
            one["question"],
            Target("text", str(one["answer"]), options=tuple(map(str, one.get("choices") or ()))),
            (folder / one["image"],) if one.get("image") else (),
        )
        for one in found
    ]


def recoded(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def resized(picture: Image.Image) -> Image.Image:
    return picture.resize((max(1, round(picture.width * 0.7)), max(1, round(picture.height * 0.7))))


def cropped(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Return the image less shares of its width and height on the four sides."""
    width, height = picture.size
    box = (round(width * left), round(height * top), width - round(width * right), height - round(height * bottom))
    return picture.crop(box)


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG quality 60": lambda one: recoded(one, 60),
    "JPEG quality 75": lambda one: recoded(one, 75),
    "resized to 70 %": lambda one: recoded(resized(one), 90),
    "cropped 3 % on each side": lambda one: recoded(cropped(one, 0.03, 0.03, 0.03, 0.03), 90),
    "cropped 3 % on two sides": lambda one: recoded(cropped(one, 0.03, 0.03, 0, 0), 90),
    "all three": lambda one: recoded(resized(cropped(one, 0.03, 0.03, 0.03, 0.03)), 60),
}


def planted(domain: str, change: str, seed: int, *, other_question: bool) -> tuple[list[Row], list[Row], set[str]]:
    """Return training rows, the benchmark, and the ids of the training rows whose image was planted into it."""
    every = real_rows(domain)
    content = {path: path.read_bytes() for row in every for path in row.images if isinstance(path, Path)}
    different = sorted(set(content.values()))
    order = np.random.default_rng(seed).permutation(len(different))
    half = len(order) // 2
    trained, copied = {different[at] for at in order[:half]}, {different[at] for at in order[: half // 2]}

    def picture(row: Row) -> bytes:
        (path,) = row.images
        assert isinstance(path, Path)
        return content[path]

    training = [row for row in every if picture(row) in trained]
    sources = [row for row in training if picture(row) in copied]
    copies = {one: CHANGES[change](open_image(one)) for one in copied}
    benchmark = [replace(row, id=f"item-{row.id}") for row in every if picture(row) not in trained]
    benchmark += [
        replace(
            row,
            id=f"copy-{row.id}",
            images=(copies[picture(row)],),
            question="What else is to be seen?" if other_question else row.question,
        )
        for row in sources
    ]
    return training, benchmark, {row.id for row in sources}


def plant() -> None:
    """Write a line per domain and change: the planted rows found, the others flagged, and the domain's figures."""
    lines: list[dict[str, object]] = []
    for domain in sorted(path.name for path in REAL.iterdir() if (path / "rows.jsonl").exists()):
        whole = audit({domain: real_rows(domain)}, {}).alike[domain]
        for change in CHANGES:
            sums = np.zeros(4, int)
            decided: set[str] = set()
            for seed in SEEDS:
                training, benchmark, copied = planted(domain, change, seed, other_question=domain in PHOTOS)
                found = audit({domain: training}, {"benchmark": benchmark})
                flagged = {match.row_id for match in found.matches}
                sums += (len(flagged & copied), len(copied), len(flagged - copied), len(training) - len(copied))
                decided.add("image and text" if found.alike[domain].drawn else "image")
            line = {
                "domain": domain,
                "change": change,
                "planted": sums[1],
                "found": round(sums[0] / sums[1], 4),
                "others": sums[3],
                "false_alarms": round(sums[2] / sums[3], 4),
                "decided_by": " or ".join(sorted(decided)),
                "pictures": whole.pictures,
                "look_like_another": round(whole.share, 4),
                "pairs": whole.pairs,
                "pairs_alike": whole.pairs_alike,
            }
            lines.append(line)
            print(*line.values(), sep=" | ", flush=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def margins() -> None:
    """Print bits and correlation of every photo with its changed copies, and with every other photo of its domain."""
    for domain in PHOTOS:
        paths = sorted({path for row in real_rows(domain) for path in row.images if isinstance(path, Path)})
        album = Album.of([look(path, path.name).views[0] for path in paths])
        every = np.arange(len(paths))
        for change, change_one in CHANGES.items():
            copies = Album.of([look(change_one(open_image(path)), path.name).views[0] for path in paths])
            bits = distances(album.signs_PB, copies.signs_PB)
            print(domain, change, *spread(bits.diagonal(), likeness(album, copies, every, every)), sep=" | ")
        at, other = np.triu_indices(len(paths), 1)
        bits = distances(album.signs_PB, album.signs_PB)[at, other]
        print(domain, "other photos", *spread(bits, likeness(album, album, at, other)), sep=" | ")


def spread(bits: np.ndarray, alike: np.ndarray) -> tuple[str, str]:
    return (
        f"bits {bits.min():.0f} to {bits.max():.0f}, median {np.median(bits):.0f}",
        f"correlation {alike.min():.3f} to {alike.max():.3f}",
    )


def hash_photos(count: int = 20_000, processes: int = 2) -> None:
    """Print the seconds that distinct files of real photos take, each a little different from every other."""
    photos = [open_image(path) for path in sorted((REAL / "coco128_detection" / "images").glob("*.jpg"))]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{at:05d}.jpg" for at in range(count)]
        for at, path in enumerate(paths):
            copy = photos[at % len(photos)].copy()
            copy.putpixel((at // len(photos), 0), (255, 0, 255))
            path.write_bytes(recoded(copy, 90))
        started = time.perf_counter()
        look_all({path: path.name for path in paths}, processes=processes)
        print(f"{count:,} photos, {processes} processes: {time.perf_counter() - started:.0f} s (at most 300 are asked)")


def compare(trained: int = 30_000, tested: int = 7_000) -> None:
    """Print seconds and memory: made-up photos, a hundred rows in both; and easy-VQA's own split."""
    rng = np.random.default_rng(0)
    training, items = made_up(rng, trained), made_up(rng, tested - 100)
    items += [replace(row, id=f"copy-{row.id}") for row in training[:100]]
    easy = DOMAINS["easy_vqa"].load
    for domain, some, others in (("made up", training, items), ("easy_vqa", easy("train"), easy("test"))):
        ticks = [time.perf_counter()]
        found = audit({domain: some}, {"benchmark": others}, progress=lambda *_, t=ticks: t.append(time.perf_counter()))
        hashed, seconds = ticks[-1] - ticks[0], time.perf_counter() - ticks[-1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{domain}, {len(some):,} rows against {len(others):,}: images read in {hashed:.0f} s, compared in",
            end=" ",
        )
        print(f"{seconds:.0f} s, at most {peak:.1f} GiB; {len(found.matches):,} rows match; {found.alike}", flush=True)


def made_up(rng: np.random.Generator, count: int) -> list[Row]:
    """Return rows with an image of coloured noise, as coarse as photos are, and a question of 20 words of 500."""
    steps = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)[None, :])
    found: list[Row] = []
    for at in range(count):
        noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(3, 64, 64))) / np.maximum(steps, 1 / 64))
        picture = Image.fromarray(np.clip(128 + 50 * noise / noise.std(), 0, 255).astype(np.uint8).transpose(1, 2, 0))
        question = " ".join(f"w{word}" for word in rng.integers(0, 500, 20))
        found.append(Row(f"{count}-{at}", "made up", question, Target("text", "yes"), (recoded(picture, 90),)))
    return found


if __name__ == "__main__":
    {"plant": plant, "margins": margins, "hash": hash_photos, "compare": compare}[
        sys.argv[1] if len(sys.argv) > 1 else "plant"
    ]()
