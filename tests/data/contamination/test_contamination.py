"""The audit finds planted images and texts, and nothing else; its list is read back or says what is wrong."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row, Target
from modomodo.data.contamination import Match, audit, read_exclusions, write_exclusions
from modomodo.data.contamination.fingerprints import look
from modomodo.data.contamination.pictures import Album, likeness

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "real"
LONG = "a train leaves the old station at nine and meets a second one after some forty miles how fast is it"


def photo(seed: int, *, width: int = 120, height: int = 90) -> Image.Image:
    """An image of smooth random colours, like no other of another seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def grainy(seed: int) -> Image.Image:
    """A photo with detail at every scale, as real ones have; the hash of a smooth one is all chance."""
    fine = np.random.default_rng(seed + 1000).integers(0, 256, (24, 32, 3), np.uint8)
    return Image.blend(photo(seed), Image.fromarray(fine).resize((120, 90), Image.Resampling.BICUBIC), 0.4)


def drawing(seed: int) -> Image.Image:
    """A drawing that differs from every other in two small squares alone."""
    canvas = np.full((120, 120, 3), 255, np.uint8)
    canvas[10:110, 10:14] = canvas[106:110, 10:110] = 0
    canvas[30:90, 40:60] = (200, 30, 30)
    for x, y in np.random.default_rng(seed).integers(70, 100, (2, 2)):
        canvas[y : y + 4, x : x + 4] = (30, 30, 200)
    return Image.fromarray(canvas)


def file(picture: Image.Image, kind: str = "PNG", quality: int = 75) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, quality=quality)
    return data.getvalue()


def row(name: str, *pictures: bytes, question: str = "what is it?", options: Sequence[str] = ()) -> Row:
    return Row(name, "d", question, Target("text", "yes", options=tuple(options)), pictures)


def found(training: Sequence[Row], items: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Row id -> (item id, what decided)."""
    result = audit({"d": training}, {"b": items})
    assert result.counts == {("d", "b"): len(result.matches)}
    return {match.row_id: (match.item_id, match.decided_by) for match in result.matches}


def changed(picture: Image.Image) -> list[bytes]:
    width, height = picture.size
    cut = picture.crop((round(width * 0.03), round(height * 0.03), round(width * 0.97), round(height * 0.97)))
    small = picture.resize((round(width * 0.7), round(height * 0.7)))
    return [file(picture, "JPEG", 60), file(small), file(cut), file(cut.resize(small.size), "JPEG", 60)]


def test_changed_photos_are_found_whatever_the_question_and_others_are_not():
    training = [row(f"t{seed}", file(photo(seed)), question=f"question {seed}") for seed in range(30)]
    items = [row(f"i{seed}", file(photo(seed))) for seed in range(100, 130)]
    items += [row(f"c{seed}-{at}", one) for seed in range(10) for at, one in enumerate(changed(photo(seed)))]
    result = audit({"d": training}, {"b": items})
    assert {match.row_id for match in result.matches} == {f"t{seed}" for seed in range(10)}
    assert {match.item_id.split("-")[0][1:] for match in result.matches} == {str(seed) for seed in range(10)}
    assert all(match.decided_by == "image" and match.picture is not None for match in result.matches)
    assert not result.alike["d"].drawn
    assert result.alike["d"].pairs == 30 * 29


def test_either_picture_may_be_the_cut_one():
    whole = photo(1)
    cut = file(whole.crop((4, 3, 116, 87)))
    assert found([row("t", cut)], [row("i", file(whole))]) == found([row("t", file(whole))], [row("i", cut)])
    a, b = (Album.of(look(one, "").views) for one in (cut, file(whole)))
    at = np.array([0])
    assert likeness(a, b, at, at) == pytest.approx(likeness(b, a, at, at))
    assert likeness(a, b, at, at) > 0.95


def test_another_colour_is_another_picture():
    red = np.array(photo(3))
    assert found([row("t", file(Image.fromarray(red)))], [row("i", file(Image.fromarray(255 - red)))]) == {}


def test_drawn_pictures_are_decided_with_their_text():
    training = [row(f"t{seed}", file(drawing(seed)), question=f"what stands at {seed}?") for seed in range(20)]
    items = [row("same", file(drawing(3), "JPEG", 75), question="What stands at 3?")]
    items += [row("other", file(drawing(50)), question="what stands at 50?")]
    result = audit({"d": training}, {"b": items})
    assert result.alike["d"].drawn
    assert result.alike["d"].share > 0.5
    assert [(one.row_id, one.item_id, one.decided_by) for one in result.matches] == [("t3", "same", "image and text")]
    assert result.matches[0].text == 1.0


def test_copies_of_its_own_photos_do_not_make_a_set_drawn():
    training = [row(f"t{seed}", file(grainy(seed)), question=f"question {seed}") for seed in range(30)]
    training += [row(f"j{seed}-{at}", file(grainy(seed), "JPEG", at)) for seed in range(3) for at in (96, 97, 98)]
    items = [row(f"i{seed}", changed(grainy(seed))[2]) for seed in range(20, 30)]
    result = audit({"d": training}, {"b": items})
    assert not result.alike["d"].drawn
    assert (result.alike["d"].pictures, result.alike["d"].compared) == (39, 30)
    assert {match.row_id for match in result.matches} == {f"t{seed}" for seed in range(20, 30)}


def test_a_copy_of_a_drawing_decides_alone():
    training = [row(f"t{seed}", file(drawing(seed)), question=f"what stands at {seed}?") for seed in range(20)]
    items = [row("i3", file(drawing(3)), question="where?"), row("i5", file(drawing(5), "JPEG", 90), question="when?")]
    result = audit({"d": training}, {"b": items})
    assert result.alike["d"].drawn
    decided = {(one.row_id, one.item_id, one.decided_by) for one in result.matches}
    assert decided == {("t3", "i3", "image"), ("t5", "i5", "image")}


@pytest.mark.parametrize("colour", ["white", "black", (122, 116, 104)])
def test_a_photo_with_bars_and_a_grey_one_are_found(colour: str):
    training = [row(f"t{seed}", file(photo(seed, width=160))) for seed in range(8)]
    square = [ImageOps.pad(photo(seed, width=160), (160, 160), color=colour) for seed in range(8)]
    copies = [file(one, "JPEG", 75) for one in square] + [file(photo(20).convert("L"))]
    items = [row(f"i{at}", one) for at, one in enumerate(copies)]
    expected = {f"t{at}": (f"i{at}", "image") for at in range(8)}
    assert found([*training, row("grey", file(photo(20)))], items) == {**expected, "grey": ("i8", "image")}


def test_a_transparent_picture_is_that_over_white_and_that_without_transparency():
    cut = photo(1).convert("RGBA")
    cut.putalpha(Image.fromarray(np.where(np.array(photo(2).convert("L")) > 120, 255, 0).astype(np.uint8)))
    pixels = np.array(cut)
    pixels[pixels[..., 3] == 0] = 0
    flat = Image.alpha_composite(Image.new("RGBA", cut.size, "white"), cut).convert("RGB")
    assert found([row("t", file(flat))], [row("i", file(Image.fromarray(pixels)))]) == {"t": ("i", "image")}
    assert found([row("t", file(photo(1)))], [row("i", file(cut))]) == {"t": ("i", "image")}


def test_the_same_options_in_another_order_are_the_same_text():
    training = [row(f"t{seed}", file(drawing(seed)), options=(str(seed), "none")) for seed in range(20)]
    assert found(training, [row("i", file(drawing(60)), options=("none", "7"))]) == {"t7": ("i", "image and text")}


def test_text_decides_where_there_is_no_picture():
    training = [
        row("exact", question="What is TWO plus two?"),
        row("long", question=f"Answer in one word please. {LONG}"),
        row("other", question="What is two plus three?"),
        row("empty", question=" ?"),
    ]
    items = [row("i1", question="what is two plus two"), row("i2", question=LONG), row("i3", question="")]
    assert found(training, items) == {"exact": ("i1", "text"), "long": ("i2", "text")}


def test_a_short_text_does_not_decide_against_a_row_with_a_picture_and_a_long_one_does():
    items = [row("i1", file(photo(1))), row("i2", file(photo(2)), question=LONG)]
    assert found([row("short"), row("long", question=LONG)], items) == {"long": ("i2", "text")}


def test_a_row_of_several_pictures_matches_by_any_of_them():
    training = [row("none", file(photo(1)), file(photo(2))), row("second", file(photo(3)), file(photo(4))), row("bare")]
    items = [row("i1", file(photo(9)), file(photo(8))), row("i2", file(photo(7)), file(photo(4), "JPEG"))]
    assert found(training, items) == {"second": ("i2", "image")}


def test_blank_pictures_look_like_nothing():
    white, black = file(Image.new("RGB", (50, 50), "white")), file(Image.new("L", (1, 1)))
    training = [row("white", white), row("black", black, question="how many?"), row("photo", file(photo(1)))]
    items = [row("i1", white, question="another"), row("i2", black), row("i3", file(photo(2)))]
    result = audit({"d": training}, {"b": items})
    assert [(one.row_id, one.item_id, one.decided_by) for one in result.matches] == [("white", "i2", "text")]
    assert (result.alike["d"].pictures, result.alike["d"].blank) == (1, 2)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "1"])
def test_pictures_of_every_mode_are_found(mode: str):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert found([row("t", file(photo(5).convert(mode), kind))], [row("i", file(photo(5).convert(mode), kind, 60))])
    assert not found([row("t", file(photo(5).convert(mode), kind))], [row("i", file(photo(6)))])


def test_more_rows_than_a_block_and_two_processes(tmp_path: Path):
    paths = [tmp_path / f"{seed}.png" for seed in range(40)]
    for seed, path in enumerate(paths):
        path.write_bytes(file(photo(seed)))
    training = [Row(f"t{at}", "d", f"q{at}", Target("count", at), (paths[at % 40],)) for at in range(600)]
    told: list[tuple[int, int]] = []
    items = [row("i", file(photo(7), "JPEG"))]
    result = audit({"d": training}, {"b": items}, progress=lambda *done: told.append(done), processes=2)
    assert [one.row_id for one in result.matches] == [f"t{at}" for at in range(7, 600, 40)]
    assert told == [(at + 1, 41) for at in range(41)]
    assert result == audit({"d": training}, {"b": items})


def test_nothing_against_nothing():
    assert audit({"d": []}, {"b": [row("i")]}).matches == ()
    result = audit({"d": [row("t")]}, {"b": []})
    assert result.counts == {("d", "b"): 0}
    assert result.alike["d"].pictures == 0


def test_an_unreadable_picture_is_named_with_its_row():
    with pytest.raises(ModomodoError, match=r"d, row t: the image \(4 bytes\) is unreadable"):
        audit({"d": [row("t", b"none")]}, {})


def test_exclusions_are_read_as_written(tmp_path: Path):
    path = tmp_path / "out.csv"
    matches = [
        Match("d", "row, 1", "b", "i", 12, 0.25, "image"),
        Match("d", "row, 1", "c", "i", None, 1.0, "text"),
        Match("e", '"2"\n', "b", "i", 0, 1.0, "image and text"),
    ]
    write_exclusions(matches, path)
    assert read_exclusions(path) == {"d": frozenset({"row, 1"}), "e": frozenset({'"2"\n'})}
    assert "is in b as i, by image (12 of 256 bits apart, 25% of the text)" in path.read_text()
    write_exclusions([], path)
    assert read_exclusions(path) == {}


def test_an_id_with_any_end_of_line_or_space_is_read_as_written(tmp_path: Path):
    ids = ["a\rb", "a\r\nb", "a\nb", " ", " a ", "\r"]
    write_exclusions([Match("d", one, "b", "i", None, 1.0, "text") for one in ids], tmp_path / "out.csv")
    assert read_exclusions(tmp_path / "out.csv") == {"d": frozenset(ids)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain,reason\nd,x\n", r"line 1: the column 'row_id' is missing"),
        ("", r"line 1: the column 'domain' is missing"),
        ("domain,row_id,reason\nd,1,a\nd,2\n", r"line 3: 2 cells, not 3"),
        ("domain,row_id\nd,1\n\nd,\n", r"line 4: row_id is empty"),
        ("domain,row_id\n ,1\n", r"line 2: domain is empty"),
    ],
)
def test_a_wrong_exclusion_list_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(ModomodoError, match=message) as raised:
        read_exclusions(path)
    assert str(path) in str(raised.value)


def test_a_missing_or_binary_exclusion_list_is_refused(tmp_path: Path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("none.csv", "binary.csv"):
        with pytest.raises(ModomodoError, match=name):
            read_exclusions(tmp_path / name)


@pytest.mark.parametrize("domain", ["bccd", "coco128_detection"])
def test_real_photos_changed_are_found_and_no_others(domain: str):
    folder = REAL / domain
    if not (folder / "rows.jsonl").exists():
        pytest.skip(f"{folder} is not there: real rows are no part of this repository")
    names = sorted({json.loads(line)["image"] for line in (folder / "rows.jsonl").read_text().splitlines()})
    contents = list(dict.fromkeys((folder / name).read_bytes() for name in names))[:30]
    training = [row(f"t{at}", one) for at, one in enumerate(contents[:20])]
    items = [row(f"i{at}", one) for at, one in enumerate(contents[20:])]
    copies = [changed(Image.open(io.BytesIO(one)).convert("RGB"))[at % 4] for at, one in enumerate(contents[:12])]
    items += [row(f"c{at}", one, question="where?") for at, one in enumerate(copies)]
    assert found(training, items) == {f"t{at}": (f"c{at}", "image") for at in range(12)}
