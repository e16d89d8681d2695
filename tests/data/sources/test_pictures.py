import io
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sets import hub_picture, parquet, picture, size_of

from modomodo.core.errors import ModomodoError
from modomodo.core.rows import MAX_IMAGE_BYTES, MAX_PIXELS, View, open_image
from modomodo.data.domain import check
from modomodo.data.registry import find_domain
from modomodo.data.sources.pictures import fit, size_within
from modomodo.data.sources.source import Source


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_within_the_limit_keeps_its_bytes(kind, tmp_path):
    data = picture((640, 10), kind=kind)
    assert fit(data, 640).data is data
    assert fit(data, None).data is data
    (tmp_path / "a").write_bytes(data)
    assert fit(tmp_path / "a", 640).data == tmp_path / "a"


@pytest.mark.parametrize(("kind", "written"), [("PNG", "PNG"), ("JPEG", "JPEG"), ("BMP", "PNG"), ("WEBP", "PNG")])
def test_a_longer_one_is_scaled_and_a_foreign_one_written_anew(kind, written):
    found = fit(picture((1000, 333), kind=kind), 640)
    assert (found.size, found.original) == ((640, 213), (1000, 333))
    with Image.open(io.BytesIO(found.data)) as opened:
        assert (opened.format, opened.size) == (written, (640, 213))


def test_a_turned_picture_is_set_upright():
    data = picture((30, 20), kind="JPEG", orientation=6)
    found = fit(data, None)
    assert found.size == found.original == size_of(found.data) == (20, 30)
    assert fit(data, 15).size == (10, 15)
    assert fit(data, 15).original == (20, 30)


@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.integers(1, 2000))
def test_sizes_keep_their_ratio_to_half_a_pixel(size, most):
    scaled = size_within(size, most)
    assert max(scaled) <= max(most, 1) or scaled == size
    if max(size) > most:
        assert max(scaled) == most
        assert all(abs(new - max(1.0, old * most / max(size))) <= 0.5 for new, old in zip(scaled, size, strict=True))
    else:
        assert scaled == size


def test_a_bomb_is_refused_before_it_is_decoded():
    ends = picture()
    width, height = 20_000, 10_000
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    bomb = ends[:12] + head + zlib.crc32(head).to_bytes(4, "big") + ends[33:]
    with pytest.raises(ModomodoError, match=r"is unreadable: Image size|over the cap"):
        fit(bomb, 640)
    width, height = 10_000, MAX_PIXELS // 10_000 + 1
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    with pytest.raises(ModomodoError, match="10000 x 8901 pixels, over the cap of 89,000,000"):
        fit(ends[:12] + head + zlib.crc32(head).to_bytes(4, "big") + ends[33:], 640)


@pytest.mark.parametrize("max_side", [640, None])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_picture_is_refused_whether_scaled_or_kept(kind, max_side):
    whole = picture((1000, 1000), kind=kind)
    for cut in (1, len(whole) // 2) if kind == "JPEG" else (40, len(whole) // 2):
        with pytest.raises(ModomodoError, match="is unreadable"):
            fit(whole[:-cut], max_side)


def deep(kind: str, pixels: np.ndarray, *, orientation: int | None = None) -> bytes:
    buffer, exif = io.BytesIO(), Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.fromarray(pixels).save(buffer, kind, exif=exif)
    return buffer.getvalue()


GREY = np.linspace(0, 65535, 12 * 20).reshape(12, 20)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_grey_of_16_bits_is_scaled_to_8_not_clipped(kind, order):
    if (kind, order) == ("PNG", ">u2"):
        pytest.skip("a PNG has one order of bytes")
    data = deep(kind, GREY.astype(order))
    expected = np.rint(GREY.astype(np.uint16) / 257)
    kept = fit(data, 640)
    assert kept.data != data
    for image in (data, kept.data):
        assert (np.asarray(open_image(image)) == expected[..., None]).all()
    turned = fit(deep(kind, GREY.astype(order), orientation=6), None)
    assert (np.asarray(open_image(turned.data))[..., 0] == np.rot90(expected, -1)).all()


@pytest.mark.parametrize("pixels", [GREY.astype(np.int32), (GREY / 65535).astype(np.float32)])
def test_grey_of_32_bits_is_refused(pixels):
    data = deep("TIFF", pixels)
    for read in (open_image, lambda image: fit(image, 640)):
        with pytest.raises(ModomodoError, match=r"32 bits a pixel \(mode [IF]\); save it with 8 or 16"):
            read(data)


@pytest.mark.parametrize("orientation", [None, 6])
def test_boxes_are_scaled_by_the_ratio_of_each_axis(tmp_path, orientation):
    # Upright 999 x 500: the height becomes 320, not 320.32, so the axes have different ratios.
    stored = (500, 999) if orientation else (999, 500)
    image = hub_picture(stored, kind="JPEG", orientation=orientation)
    rows = [{"question": "Where?", "answer": [[99.9, 50, 999, 500.9], [-0.5, 0, 333, 250]], "image": image}]
    source = Source(path=parquet(tmp_path / "a.parquet", rows), verifier="boxes")
    found = find_domain("mine", sources={"mine": source})
    row = found.load("train")[0]
    assert row.target.image_size == size_of(row.images[0]) == (640, 320)
    across, down = 640 / 999, 320 / 500
    expected = [(99.9 * across, 50 * down, 640, 500.9 * down), (-0.5 * across, 0, 333 * across, 250 * down)]
    assert [pytest.approx(box) for box in row.target.value] == expected
    assert check(found, View(frame="unit")) == ()


def test_within_the_limit_boxes_keep_every_digit(tmp_path):
    rows = [{"question": "Where?", "answer": [0.1, 0.2, 116.8, 33.3], "image": hub_picture((448, 336))}]
    source = Source(path=parquet(tmp_path / "a.parquet", rows), verifier="box")
    assert find_domain("mine", sources={"mine": source}).load("train")[0].target.value == (0.1, 0.2, 116.8, 33.3)


def test_one_pixel_outside_is_rounding_and_more_is_not(tmp_path):
    for far, good in ((1.0, True), (1.1, False)):
        rows = [{"question": "Where?", "answer": [0.0, 0.0, 1280 + far, 9.0], "image": hub_picture((1280, 10))}]
        found = find_domain(
            "mine", sources={"mine": Source(path=parquet(tmp_path / f"{good}.parquet", rows), verifier="box")}
        )
        if good:
            assert found.load("train")[0].target.value == (0, 0, 640.5, 4.5)
        else:
            with pytest.raises(ModomodoError, match="outside the image of 1280 x 10 pixels"):
                found.load("train")


@pytest.mark.parametrize(
    ("mode", "ink", "kind"),
    [
        ("RGBA", (0, 0, 0, 255), "PNG"),
        ("LA", (0, 255), "PNG"),
        ("P", 1, "PNG"),
        ("P", 1, "GIF"),
        ("RGBA", (0, 0, 0, 255), "WEBP"),
        ("RGBA", (0, 0, 0, 255), "TIFF"),
        ("RGB", (9, 9, 9), "PNG"),
        ("L", 9, "PNG"),
    ],
)
def test_what_is_transparent_is_white(mode, ink, kind):
    """Black lines on nothing: without their ground, all would be black."""
    drawn = Image.new(mode, (60, 40), 0)
    if mode == "P":
        drawn.putpalette([0, 0, 0, 0, 0, 0])
    drawn.paste(ink, (20, 10, 40, 30))
    clear = {} if mode in ("RGBA", "LA") else {"transparency": (0, 0, 0) if mode == "RGB" else 0}
    buffer = io.BytesIO()
    drawn.save(buffer, kind, **clear)
    for data in (buffer.getvalue(), fit(buffer.getvalue(), 30).data):
        seen = open_image(data)
        assert seen.getpixel((0, 0)) == (255, 255, 255)
        assert max(seen.getpixel((seen.width // 2, seen.height // 2))) < 10


@pytest.mark.parametrize("kind", ["AVIF", "DDS", "ICO", "PPM", "TGA", "EPS", "PDF", "PCX"])
def test_other_formats_are_refused_in_words(kind):
    data = picture((20, 20), kind=kind)
    for read in (open_image, lambda image: fit(image, 640)):
        with pytest.raises(ModomodoError, match=r"is unreadable: it begins with .* none of PNG, JPEG, WEBP, GIF"):
            read(data)


@pytest.mark.parametrize(
    "begin", [b"BLP2", b"DDS ", b"\0\0\0 ftypavif", b"%!PS-Adobe-3.0 EPSF-3.0", b"<svg/>", b"", b"BM"]
)
def test_scraps_are_refused_in_words(begin):
    with pytest.raises(ModomodoError, match="is unreadable"):
        fit(begin + bytes(50), 640)


def test_what_never_ends_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(ModomodoError, match="is no regular file"):
            fit(path, 640)
    (tmp_path / "huge.png").write_bytes(picture())
    os.truncate(tmp_path / "huge.png", MAX_IMAGE_BYTES + 1)  # a hole: nothing of it is on the disk
    with pytest.raises(ModomodoError, match="has 100,000,001 bytes, over the cap of 100,000,000"):
        fit(tmp_path / "huge.png", 640)
