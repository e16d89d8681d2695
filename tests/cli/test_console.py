"""Nothing in a file, a name or a template moves the cursor, sets the clipboard or turns the writing around."""

import io
import json
import logging
import shutil
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from modomodo.cli import main
from modomodo.cli.console import Plain, Terminal, plain_streams, say, show_crash, show_problems, show_warning, watched
from modomodo.core.errors import printable
from modomodo.data.domain import Problem
from modomodo.study.watch import Standing

CLIPBOARD = "\x1b]52;c;aGk=\x07"
CONTROLS = "".join(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
OTHERS = "\u2028\u2029\ufeff\ud800\u00ad\u200b"
HOSTILE = f"a{CLIPBOARD}{CONTROLS}{BIDI}{OTHERS}z"
OBEYED = {*CONTROLS, *BIDI, *OTHERS}


@pytest.mark.parametrize("letter", sorted(OBEYED), ids=lambda letter: f"U+{ord(letter):04X}")
def test_what_a_terminal_obeys_is_replaced(letter: str):
    assert printable(f"a{letter}b") == "a\ufffdb"


@pytest.mark.parametrize(
    "text", ["a\n\tb", "Größe", "北京\u3000市", "می\u200cخواهم", "क्\u200dष", "1\u00a0000", "👍🏽 é"]
)
def test_the_writing_of_the_world_stays(text: str):
    assert printable(text) == text


def shown(show: Callable[[Terminal], object]) -> str:
    """Return what a console in a terminal prints, less the colours that are its own."""
    file = io.StringIO()
    show(Terminal(file=file, force_terminal=True, emoji=False, color_system=None, width=60, legacy_windows=False))
    return file.getvalue()


def live(console: Terminal) -> None:
    with Live(Text(HOSTILE), console=console, auto_refresh=False, transient=True) as board:
        board.update(watched([Standing(HOSTILE, "failed", 1, 2, {HOSTILE: 0.5}, trouble=HOSTILE)]), refresh=True)


def table(console: Terminal) -> None:
    grid = Table(HOSTILE, title=HOSTILE)
    grid.add_row(escape(HOSTILE))
    console.print(grid)


@pytest.mark.parametrize(
    "show",
    [
        lambda console: console.print(escape(HOSTILE)),
        lambda console: console.print(Text(HOSTILE), soft_wrap=True),
        lambda console: say(HOSTILE, console=console),
        lambda console: console.rule(HOSTILE),
        table,
        live,
    ],
    ids=["print", "text", "say", "rule", "table", "live"],
)
def test_a_console_shows_and_does_not_obey(show: Callable[[Terminal], object]):
    found = shown(show)
    assert "a" in found
    assert "]52;c;aGk=" in found.replace("\n", "").replace(" ", "") or show is table
    # What is left are the moves of Live and of nothing else.
    moves = set(found) & OBEYED
    assert moves <= ({"\x1b", "\r"} if show is live else set())
    assert "\x1b]" not in found


def test_names_are_no_markup(capsys: pytest.CaptureFixture[str]):
    name = "[link=evil][/] [red]:smile:"
    say(name)
    show_problems(Path(name), [Problem(name, name)])
    show_warning(UserWarning(name), UserWarning)
    printed = capsys.readouterr()
    assert printed.out.count(name) == 4
    assert name in printed.err


def test_what_libraries_write_is_made_printable_too():
    file, log = io.StringIO(), logging.getLogger("of a library")
    log.propagate = False  # a report between two processes of pytest cannot hold half a character
    with redirect_stderr(file), redirect_stdout(file), plain_streams():
        handler = logging.StreamHandler()
        log.addHandler(handler)
        log.warning(HOSTILE)
        log.removeHandler(handler)
        print(HOSTILE)
        print(HOSTILE, file=sys.stderr)
        sys.stderr.write("\r 50 %")
        sys.stderr.write("\x1b[A")  # a second bar of tqdm
        assert sys.stderr.isatty() is False
    found = file.getvalue()
    assert found.count("]52;c;aGk=") == 3
    assert found.endswith("\r 50 %\x1b[A")
    assert not set(found.removesuffix("\r 50 %\x1b[A")) & OBEYED


def test_streams_that_are_closed_stay_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", None)
    with plain_streams():
        assert sys.stdout is None
        assert isinstance(sys.stderr, Plain)
    assert not isinstance(sys.stderr, Plain)


def test_a_traceback_is_made_printable(capsys: pytest.CaptureFixture[str]):
    try:
        raise KeyError(HOSTILE) from ValueError(HOSTILE)
    except KeyError as error:
        show_crash(type(error), error, error.__traceback__)
    found = capsys.readouterr().err
    assert "Traceback" in found
    assert not set(found) & OBEYED


NAME = f"a{CLIPBOARD}\x9b\u202e"
FILE = f"{NAME}\udcff"  # as Python reads a name of bytes that are not UTF-8


@pytest.mark.parametrize(
    "words",
    [
        ("check", f"{FILE}.toml"),
        ("check", "bad.toml"),
        ("check", "sound.toml", "--set", f"{NAME}=1"),
        ("check", "sound.toml", "--set", f"model={NAME}"),
        ("check", "sound.toml", "--set", f"data.{NAME}.path=x"),
        ("check", "sound.toml", NAME),
        ("check", f"--{NAME}"),
        (NAME,),
        ("fit", f"{FILE}.csv"),
        ("fit", "bad.csv"),
        ("recommend", "sound.csv", "--set", f"objective={NAME}"),
        ("grade", f"{FILE}.jsonl"),
        ("grade", "bad.jsonl"),
        ("init", f"{NAME}.jsonl", "--out", "new"),
        ("pilot", "sound.toml"),
    ],
    ids=lambda words: " ".join(words).encode("ascii", "replace").decode().replace("\x1b", "?").replace("\x07", "?"),
)
def test_no_command_lets_a_name_through(tmp_path: Path, words: tuple[str, ...], monkeypatch, capsys):
    (tmp_path / f"{NAME}.jsonl").write_text(json.dumps({f"q{NAME}": "1?", f"answer{NAME}": NAME}) + "\n")
    (tmp_path / "sound.toml").write_text('domains = ["spatial"]\n')
    (tmp_path / "bad.toml").write_text(f"steps = two{NAME}\n")
    header = f"w.a{NAME},w.b,score.{NAME}"
    (tmp_path / "bad.csv").write_text(f"{header}\n1,0.5,{NAME}\n")
    rows = "".join(f"{n / 8},{1 - n / 8},{n / 9}\n" for n in range(9))
    (tmp_path / "sound.csv").write_text(f"{header}\n{rows}")
    (tmp_path / "bad.jsonl").write_text(json.dumps({"id": 1, "verifier": NAME, "completion": "", "target": 1}) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["modomodo", *words])
    with warnings.catch_warnings(), suppress(SystemExit):
        main.main()
    found = "".join(capsys.readouterr())
    assert found
    assert not set(found) & OBEYED, ascii(found)


def test_the_error_of_a_template_is_made_printable(random_model: Path, tmp_path: Path, monkeypatch, capsys):
    shutil.copytree(random_model, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text(f"{{{{ raise_exception('{HOSTILE[:-20]}') }}}}")
    (tmp_path / "recipe.toml").write_text(f'domains = ["spatial"]\nmodel = "{tmp_path / "model"}"\n')
    monkeypatch.setattr("sys.argv", ["modomodo", "check", str(tmp_path / "recipe.toml")])
    with warnings.catch_warnings(), pytest.raises(SystemExit):
        main.main()
    found = "".join(capsys.readouterr())
    assert "fails on a question (TemplateError" in found
    assert not set(found) & OBEYED
