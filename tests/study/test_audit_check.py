"""`check --audit` on recipes: the model is asked, the worst stands first, errors end with 1."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modomodo.cli.main import NANO, app
from modomodo.config.recipe import load_recipe
from modomodo.core.rows import Row
from modomodo.evaluation import before_training
from modomodo.evaluation.before_training import Asked
from modomodo.study.checks import audit
from modomodo.study.checks.audit import AuditOfFile
from modomodo.study.preflight import audit_file

runner = CliRunner()


@pytest.fixture(scope="module")
def uneven() -> AuditOfFile:
    sets = ['domains=["quiz", "circuits", "palette", "compass"]', 'evaluation.benchmarks=["charts"]']
    return audit_file(load_recipe(NANO / "uneven" / "recipe.toml", sets))


def test_the_planted_causes_are_found(uneven: AuditOfFile):
    said = [f"{finding.level} {finding}" for finding in uneven.findings]
    for words in ("warning quiz .*always '2'", "warning palette .*solved: ", "warning circuits .*44 rows only"):
        assert any(re.match(words, line) for line in said), (words, said)
    assert not any("error" in line or "compass" in line or "charts" in line for line in said), said


def test_the_worst_stands_first(uneven: AuditOfFile):
    assert [one.audited.name for one in uneven.sets] == ["quiz", "circuits", "palette", "charts", "compass"]
    assert [one.asked is not None for one in uneven.sets] == [True, True, True, False, True]


def test_a_model_that_does_not_see_the_image_is_an_error(monkeypatch: pytest.MonkeyPatch):
    def blind(model: object, processor: object, domain: object, rows: Sequence[Row], **_: object) -> list[str]:
        return [f"<think>{row.question}</think><answer>red</answer>" for row in rows]

    monkeypatch.setattr(before_training, "complete", blind)
    sets = ['domains=["palette"]', "evaluation.benchmarks=[]"]
    (first, *_) = audit_file(load_recipe(NANO / "uneven" / "recipe.toml", sets)).findings
    assert first.level == "error"
    assert "changes 0% of the completions: the image does not reach the model" in first.what


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wrong": 0.8}, "hopeless: 80% of 16 groups of 8 are all wrong and teach nothing .25% of the completions"),
        ({"right": 0.5}, "solved: 50% of 16 groups"),
        ({"blank": 0.05, "swapped": 0.05}, "changes 5% of the completions: the questions hardly need it"),
        ({"blank": 0.0, "swapped": 0.0}, "changes 0% of the completions: the image does not reach the model"),
        ({"blank": 0.0, "swapped": 0.0, "unparsed": 1.0}, "100% have no answer that parses: nothing tells whether"),
        ({}, None),
        ({"blank": None, "swapped": None}, None),
        ({"blank": 0.0, "swapped": 1.0}, None),
    ],
)
def test_what_a_model_says_is_read(changes: dict[str, float | None], words: str | None):
    usual = {"right": 0.1, "wrong": 0.1, "unparsed": 0.25, "blank": 0.9, "swapped": 0.9}
    found = Asked("quiz (train)", 16, 8, 0.5, **{**usual, **changes}).findings  # type: ignore[arg-type]
    assert [re.search(words, finding.what) is not None for finding in found] == [True] if words else not found


def test_errors_end_with_1_and_sets_that_cannot_be_read_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "is_here", lambda *_: False)
    (tmp_path / "same.jsonl").write_text("".join(json.dumps({"q": f"{k}?", "a": 4}) + "\n" for k in range(120)))
    table = 'images = []\nverifier = "count"\nquestion = "{q}"\nanswer = "a"\n'
    sets = "".join(f'[data.{name}]\npath = "{name}.jsonl"\n{table}' for name in ("same", "gone"))
    (tmp_path / "recipe.toml").write_text(f'domains = ["same", "gone"]\n{sets}')
    done = runner.invoke(app, ["check", str(tmp_path / "recipe.toml"), "--audit"])
    assert done.exit_code == 1, done.output
    said = " ".join(done.output.split())
    assert "error: same (train): right answers earn 1.00 and golds of other rows 1.00" in said
    assert re.search("error: gone .train.: .*gone.jsonl", said)
    assert "note: model: nano is not on this machine" in said
    assert re.search("audit: [2-9] errors", said)


def test_a_file_of_rows_is_audited_before_a_recipe_names_it(tmp_path: Path):
    golds = [4] * 90 + [*range(30)]
    lines = [json.dumps({"question": f"{k}?", "answer": gold}) + "\n" for k, gold in enumerate(golds)]
    (tmp_path / "rows.jsonl").write_text("".join(lines))
    done = runner.invoke(app, ["check", str(tmp_path / "rows.jsonl"), "--audit"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "verifier count, because of" in said
    assert "warning: rows (train): always '4' earns 0.7" in said
    (tmp_path / "rows.jsonl").write_text("".join(lines[:90]))
    assert runner.invoke(app, ["check", str(tmp_path / "rows.jsonl"), "--audit"]).exit_code == 1


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "is_here", lambda *_: False)
    told: list[tuple[int, int]] = []
    recipe = load_recipe(NANO / "control" / "recipe.toml", ['domains=["spatial"]', "evaluation.benchmarks=[]"])
    audit_file(recipe, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (256, 256)


@pytest.mark.slow
def test_the_control_world_has_no_error():
    found = audit_file(load_recipe(NANO / "control" / "recipe.toml", []))
    assert [finding for finding in found.findings if finding.level != "note"] == []
