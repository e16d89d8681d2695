"""TOML of strangers, and what `--set` takes: every value that no file name and no number can be is said."""

from pathlib import Path

import pytest

from modomodo.config.study import load_study
from modomodo.core.errors import ModomodoError
from modomodo.core.toml import LARGEST, read_toml, with_changes

DIGITS = "1" * 5000
BAD = {
    "5,000 digits": (f"steps = {DIGITS}", "a whole number has thousands of digits; those of TOML have 64 bits"),
    "5,000 hexadecimal digits": (f"steps = 0x{DIGITS}", "steps: a whole number is too long"),
    "one bit too many": (f"[recipe]\nsteps = {2**63}", "recipe.steps: a whole number is too long"),
    "inside a list": (f"a = [1, [2, {-(2**64)}]]", "a: a whole number is too long"),
    "NUL in a text": ('model = "a\\u0000b"', "model: a text or key holds the character NUL"),
    "NUL in a list of tables": ('[[a]]\nb = ["\\u0000"]', "a.b: a text or key holds the character NUL"),
    "NUL in a key": ('[a]\n"b\\u0000" = 1', "a: a text or key holds the character NUL"),
    "NUL itself": ("a = 'b\0'", "cannot be read as TOML"),
    "deep lists": (f"a = {'[' * 5000}{']' * 5000}", "nested too deep"),
    "bytes": (b"a = '\xff'", "can't decode byte 0xff"),
    "no end": (b"#" * (LARGEST + 1), "it has over 16,777,216 characters"),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_what_no_value_can_be_is_said(tmp_path: Path, text: str | bytes, says: str):
    path = tmp_path / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModomodoError, match=says) as caught:
        read_toml(path)
    assert str(caught.value).startswith(f"{path} cannot be read as TOML: ")


def test_a_device_without_end_is_not_read_whole():
    with pytest.raises(ModomodoError, match="it has over"):
        read_toml(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (f"steps={DIGITS}", "--set steps: a whole number has thousands of digits"),
        (f"steps=0x{DIGITS}", "--set steps: a whole number is too long"),
        ('model="\\u0000"', "--set model: a text or key holds the character NUL"),
        (f"domains={'[' * 5000}", "--set domains: its values are nested too deep"),
    ],
    ids=lambda value: value[:20],
)
def test_a_change_that_no_value_can_be_is_said(change: str, says: str):
    with pytest.raises(ModomodoError, match=says) as caught:
        with_changes({}, [change])
    assert len(str(caught.value)) < 200


def test_lines_after_a_value_are_not_lost_in_silence():
    assert with_changes({}, ["question=1\nmore = 2"]) == {"question": "1\nmore = 2"}
    assert with_changes({}, ["steps=3", "a.b=[1]", "c=word"]) == {"steps": 3, "a": {"b": [1]}, "c": "word"}


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "../x", "-x", ".hidden", "a b", "a\nb", "\u202ea", "x" * 65, "a\\b"]
)
def test_the_name_of_a_study_is_that_of_a_folder(tmp_path: Path, name: str):
    file = tmp_path / "study.toml"
    file.write_text('name = "sound"\nbenchmarks = ["charts"]\n[recipe]\ndomains = ["spatial"]\n')
    assert load_study(file).folder == Path("studies/sound")
    assert load_study(file, ["name=v1.2_b-c"]).folder == Path("studies/v1.2_b-c")
    with pytest.raises(ModomodoError, match="name: use at most 64 letters"):
        load_study(file, [f"name={name}"])
