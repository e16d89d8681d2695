"""`modomodo grade`: streams, keeps order, and survives any line."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from modomodo.cli import main
from modomodo.config.table_settings import Grading
from modomodo.core.rows import Target, View
from modomodo.verifiers import grade
from modomodo.verifiers.grade_file import EXAMPLE, grade_lines

RAW = {"completion": "12", "target": 12, "verifier": "number", "raw": True}


def line(**changes) -> bytes:
    return json.dumps({"id": "a", **RAW, **changes}).encode() + b"\n"


def graded(*lines: bytes, **options):
    return list(grade_lines(lines, **options))


def test_every_field_reaches_the_verifier():
    box = {"verifier": "box", "target": [320, 240, 640, 480], "image_size": [640, 480]}
    lines = [
        line(completion="<think>x</think><answer>12</answer>", raw=False),
        line(completion="12.00001", mode="standard"),
        line(completion="12.1", tolerance=0.01),
        line(completion="12.00001", mode="paper"),
        line(verifier="choice", completion="right one", target="B", options=["left one", "right one"]),
        line(**box, completion="[500, 500, 1000, 1000]", frame="normalised1000"),
        line(**box, completion="[160, 120, 320, 240]", frame="resized", resized_size=[320, 240]),
        line(verifier="boxes", target=[[0, 0, 2, 2], [4, 4, 6, 6]], completion="[[4, 4, 6, 6], [0, 0, 2, 2]]"),
        line(verifier="anls", target=["hello", "hi"], completion="hi"),
        line(verifier="math", target="1/2", completion="$\\frac{2}{4}$"),
    ]
    rewards = [one.verdict.reward for one in graded(*lines)]
    assert rewards == [1, 1, 1, 0, 1, 1, 1, 1, 1, 1]


def test_keys_of_others_pass_and_format_needs_no_target():
    other = {"model": "m", "code": 1, "node": 2, "draw": 3}
    (found,) = graded(line(**other))
    assert other.items() <= found.line.items()
    (found,) = graded(b'{"id": 1, "verifier": "format", "completion": "<think></think><answer>x</answer>"}')
    assert found.verdict.reward == 1


def test_lines_keep_their_keys_and_their_order_and_get_four_more():
    slow = line(id=0, verifier="math", target="5", completion="(10^6)!")
    lines = [slow, *(line(id=number, note={"kept": number}) for number in range(1, 200))]
    found = [one.line for one in graded(*lines)]
    assert [one["id"] for one in found] == list(range(200))
    assert found[7] == {
        "id": 7,
        **RAW,
        "note": {"kept": 7},
        "status": "right",
        "reward": 1.0,
        "answer": "12",
        "reason": "",
    }
    assert found[0]["status"] == "unparsed"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{", "not a line of JSON"),
        (b"\xff\xfe", "not a line of JSON"),
        (b"[" * 100_000, "not a line of JSON"),
        (b"[1]", "a JSON list, where an object is asked"),
        (b'{"id": 1}', "no 'verifier', 'completion', 'target' among its keys ('id'); a line is like {"),
        (line(verifier="numbr"), "did you mean number?"),
        (line(completion=3), "completion is 3: a text is needed"),
        (line(target=None), "target is None"),
        (line(target={"a": 1}), "a text, a number, a box"),
        (line(frame="pixel"), "unknown frame 'pixel'; did you mean pixels?"),
        (line(tolerence=0.1), "did you mean tolerance?"),
        (line(tolerance="small"), "tolerance is 'small': a number is needed"),
        (line(image_size=[640]), "[width, height] in pixels is needed"),
        (line(resized_size=[0, 5]), "[width, height] in pixels is needed"),
        (line(options="AB"), "options is 'AB': a list is needed"),
        (line(options=[1, 2]), "a list of texts is needed"),
        (line(raw=1), "raw is 1: a true or false is needed"),
        (line(mode="strict"), "known: paper, standard"),
        (line(tolerance=10**400), "a number is needed"),
        (line(image_size=[10**400, 5]), "[width, height] in pixels is needed"),
        (
            b'{"id": 1, "verifier": "box", "completion": "", "target": ' + b"[" * 700 + b"]" * 700 + b"}",
            "nested over 2",
        ),
        (line()[:-2] + b', "note": 1e999}', "1e999 is no finite number"),
        (line(target=float("nan")), "NaN is no finite number"),
    ],
)
def test_a_malformed_line_is_named_and_the_next_goes_on(text, problem):
    first, second = graded(text, b"\n", line())[:2]
    assert (first.number, first.line) == (1, None)
    assert problem in first.problem
    assert (second.number, second.verdict.reward) == (3, 1)


def test_the_same_problem_of_many_lines_is_told_once():
    found = graded(b'{"id": 1}', line(), b'{"id": 2}', b"oops")
    assert [one.problem[:18] for one in found] == ["no 'verifier', 'co", "", "the same as line 1", "not a line of JSON"]


def test_an_example_of_a_line_is_one():
    assert graded(EXAMPLE.encode())[0].verdict.reward == 1


@pytest.mark.parametrize("target", [True, [1, 2], [], [[1, 2, 3]], "about five"])
def test_a_gold_that_does_not_suit_its_verifier_is_ungradable(target):
    (found,) = graded(line(target=target))
    assert (found.line["status"], found.line["reward"]) == ("ungradable", None)


def test_the_verb_writes_lines_and_says_the_rest_on_standard_error(tmp_path):
    path = tmp_path / "completions.jsonl"
    path.write_bytes(line() + b"oops\n" + line(completion="13"))
    result = CliRunner().invoke(main.app, ["grade", str(path)])
    assert result.exit_code == 1
    assert [json.loads(text)["status"] for text in result.stdout.splitlines()] == ["right", "wrong"]
    shown = " ".join(result.stderr.split())
    assert "completions.jsonl line 2: not a line of JSON" in shown
    assert "1 malformed line, named above and left out" in shown
    assert "number 2 0.500 1 1 0 0 0" in shown
    path.write_bytes(line(completion="12.00001"))
    assert '"wrong"' in CliRunner().invoke(main.app, ["grade", str(path)]).stdout
    assert '"right"' in CliRunner().invoke(main.app, ["grade", str(path), "--set", "mode=standard"]).stdout


def test_python_and_the_command_line_have_one_default_mode():
    assert Grading().mode == View().mode
    assert graded(line(completion="12.00001"))[0].verdict == grade("12.00001", Target("number", 12), raw=True)


def test_standard_input_and_a_reader_that_goes_away():
    lines = b"".join(line(id=number) for number in range(20_000))
    command = f"{sys.executable} -m modomodo grade - | head -n 1"
    done = subprocess.run(command, shell=True, input=lines, capture_output=True)
    assert json.loads(done.stdout)["id"] == 0
    assert b"Traceback" not in done.stderr


def test_play_judges_what_is_typed(monkeypatch):
    typed = iter([":gold", "nonsense", "", "<think>x</think><answer>A</answer>"])
    monkeypatch.setattr("builtins.input", lambda _: next(typed, ":quit"))
    recipe = main.NANO / "control/recipe.toml"
    result = CliRunner().invoke(main.app, ["play", str(recipe), "--set", 'domains=["science", "spatial"]'])
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "science, row science-train-" in text
    assert "image: " in text
    assert "<think>gold</think><answer>" in text
    assert "unparsed, reward 0: names no single option (judged as the bare answer) gold: " in text
    assert "2 answered, mean reward " in text
