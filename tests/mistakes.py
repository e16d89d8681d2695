"""Mistakes that people make, and what the message about each must name; docs/errors.md shows the messages.

Each is run in a folder with the sound files of `FILES`, after its `edits` (file, what stood there, what the person
wrote) and with its own `files`. An edit of "" adds what the person wrote at the end of the file.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = """domains = ["meters", "signs"]
steps = 2
prompts_per_step = 2
num_generations = 4
mixture = "equal"
engine = "trl"
precision = "float32"

[data.meters]
path = "meters.jsonl"
id = "id"
question = "What does the {kind} read?"
answer = "reading"
images = []
verifier = "number"

[data.signs]
path = "signs.jsonl"
question = "{text}"
answer = "word"
images = []
verifier = "text"
holdout = 0.5
"""

STUDY = """name = "meters"
recipe = "recipe.toml"
benchmarks = ["signs"]
items = 2
"""

METERS = [{"id": f"m{n}", "kind": f"dial number {n}", "reading": n} for n in range(1, 9)]
SIGNS = [{"text": f"Which word stands on sign {n}?", "word": f"word{n}"} for n in range(12)]
RUNS = "label,w.meters,w.signs,score.test\n" + "".join(
    f"run {n},{n / 8},{1 - n / 8},{0.3 + n * (8 - n) / 50:.2f}\n" for n in range(9)
)
REPLIES = [
    {"id": n, "verifier": "number", "completion": f"<think>a dial</think><answer>{n}</answer>", "target": n}
    for n in range(1, 4)
]


def lines(objects: list[dict[str, object]]) -> str:
    """Return objects as JSONL."""
    return "".join(f"{json.dumps(one)}\n" for one in objects)


FILES: Mapping[str, str] = {
    "recipe.toml": RECIPE,
    "study.toml": STUDY,
    "meters.jsonl": lines(METERS),
    "signs.jsonl": lines(SIGNS),
    "runs.csv": RUNS,
    "replies.jsonl": lines(REPLIES),
}


@dataclass(frozen=True)
class Mistake:
    """A mistake: its name, what the person did and typed, and what the message must name.

    `code` is the exit code. `shown` are beginnings of the lines that are the message; the rest of the output is not.
    """

    name: str
    did: str
    argv: str
    file: str
    place: str
    value: str
    fix: str
    code: int = 2
    edits: tuple[tuple[str, str, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    before: Callable[[], None] | None = None
    shown: tuple[str, ...] = ("error:",)

    def written(self) -> dict[str, str]:
        """Return the files that the mistake is made in."""
        found = {**FILES, **self.files}
        for file, old, new in self.edits:
            assert not old or found[file].count(old) == 1, (self.name, old)
            found[file] = found[file].replace(old, new) if old else found[file] + new
        return found


def damage() -> None:
    """Leave a finished pilot of study.toml whose result was cut off, as by a full disk."""
    from modomodo.config.study import load_study
    from modomodo.study.plan import pilot_runs

    study, key = load_study(Path("study.toml")), "0123456789abcdef"
    one = next(one for one in pilot_runs(study) if one.label == "equal")
    run = study.folder / "runs" / key
    run.mkdir(parents=True)
    (study.folder / "labels.json").write_text(json.dumps({"equal": key}))
    (run / "recipe.json").write_text(json.dumps(one.recipe.model_dump(mode="json")))
    (run / "result.json").write_text('{"version": 1, "key"')


PICTURES = (
    ("recipe.toml", 'answer = "reading"\nimages = []', 'answer = "reading"\nimages = ["photo"]'),
    ("meters.jsonl", '"kind": "dial number 3"', '"photo": "photos/3.png", "kind": "dial number 3"'),
)

STARTING = (
    Mistake(
        "Files that already exist where init writes",
        "The folder already has a recipe and a study.",
        "init meters.jsonl",
        file="recipe.toml",
        place="study.toml",
        value="are there already",
        fix="name another folder (--out FOLDER)",
    ),
    Mistake(
        "A set without answers",
        "The answers were not exported with the questions.",
        "init plain.jsonl --out first",
        file="plain.jsonl",
        place="no column can be an answer",
        value="'text' is the question",
        fix='Add a column "answer"',
        files={"plain.jsonl": lines([{"text": f"Which word stands on sign {n}?"} for n in range(3)])},
    ),
    Mistake(
        "A set without its images",
        "The file was moved without its images.",
        "init shown.jsonl --out first",
        file="shown.jsonl",
        place="line 2",
        value="photos/1.jpg",
        fix="put images there, or correct them",
        files={"shown.jsonl": lines([{"photo": f"photos/{n}.jpg", "reading": n} for n in range(3)])},
    ),
    Mistake(
        "A list that holds no rows",
        "The JSON list has strings where objects should be.",
        "init list.json --out first",
        file="list.json",
        place="object 2",
        value='"What else?" is no object',
        fix="a JSON list of objects",
        files={"list.json": '[{"question": "What does it read?", "answer": 7}, "What else?"]\n'},
    ),
    Mistake(
        "Choices that no answer names",
        "The answers count the options from 1.",
        "init words.jsonl --out first",
        file="words.jsonl",
        place="line 1",
        value="3 of ['red', 'blue', 'grey']",
        fix="write the letter, the text or the index from 0",
        files={
            "words.jsonl": lines(
                [{"question": f"Word {n}?", "options": ["red", "blue", "grey"], "answer": 3 - n % 3} for n in range(3)]
            )
        },
    ),
    Mistake(
        "More marks than images",
        "The second image of each row was lost, and its mark was not. Nothing is written.",
        "init pairs.jsonl --out first",
        file="pairs.jsonl",
        place="line 1",
        value="2 <image> marks, 0 images",
        fix="write as many",
        files={
            "pairs.jsonl": lines([{"question": f"<image><image>Alike, {n}?", "answer": "no"} for n in range(3)]),
        },
    ),
    Mistake(
        "Images of the web",
        "The images were not downloaded.",
        "init shown.jsonl --out first",
        file="shown.jsonl",
        place="line 1",
        value="https://example.org/0.jpg",
        fix="nothing is downloaded; fetch it",
        files={"shown.jsonl": lines([{"photo": f"https://example.org/{n}.jpg", "reading": n} for n in range(3)])},
    ),
)

OWN_DATA = (
    Mistake(
        "A column that the file doesn't have",
        "The answer column is misspelt.",
        "check recipe.toml",
        file="meters.jsonl",
        place="data.meters.answer",
        value="'raeding'",
        fix="did you mean reading?",
        code=1,
        edits=(("recipe.toml", 'answer = "reading"', 'answer = "raeding"'),),
    ),
    Mistake(
        "A file of rows that doesn't exist",
        "The path is misspelt.",
        "check recipe.toml",
        file="recipe.toml",
        place="data.meters.path",
        value="meter.jsonl does not exist",
        fix="did you mean meters.jsonl?",
        code=1,
        edits=(("recipe.toml", 'path = "meters.jsonl"', 'path = "meter.jsonl"'),),
    ),
    Mistake(
        "A broken line of rows",
        "Line 3 lacks a comma.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="""'{"id": "m3" "kind\"""",
        fix="one object a line",
        code=1,
        edits=(("meters.jsonl", '"m3", "kind"', '"m3" "kind"'),),
    ),
    Mistake(
        "An image folder that isn't there",
        "The rows name images, but nobody copied their folder.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="photos/3.png does not exist, nor does its folder photos",
        fix="put it there, or correct the path",
        code=1,
        edits=PICTURES,
    ),
    Mistake(
        "An image that isn't there",
        "The folder lacks one image.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="photos/3.png does not exist",
        fix="put it there, or correct the path",
        code=1,
        edits=PICTURES,
        files={"photos/1.png": ""},
    ),
    Mistake(
        "An image that can't be read",
        "The download saved an error page instead of the image.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="photos/3.png is unreadable",
        fix="get it again, or drop the row",
        code=1,
        edits=PICTURES,
        files={"photos/3.png": "<html>Not found</html>"},
    ),
    Mistake(
        "An image out of the set's folder",
        "A row names a file of the machine that it was made on.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="'/home/me/3.png' leads out of",
        fix="or to the folder that `pictures` names",
        code=1,
        edits=(PICTURES[0], (PICTURES[1][0], PICTURES[1][1], PICTURES[1][2].replace("photos/3", "/home/me/3"))),
    ),
    Mistake(
        "A key that occurs twice",
        "A row was made of two.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="the key 'reading' occurs twice",
        fix="rename or drop one",
        code=1,
        edits=(("meters.jsonl", '"reading": 3', '"reading": 3, "reading": 4'),),
    ),
    Mistake(
        "A number that would become 0",
        "An exponent is wrong.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="1e-400 would be read as 0",
        fix="write it in another unit",
        code=1,
        edits=(("meters.jsonl", '"reading": 3', '"reading": 1e-400'),),
    ),
    Mistake(
        "A sign of a chat template in a question",
        "The rows were exported from a prompt that was rendered already.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="has <|im_end|> inside",
        fix="take it out",
        code=1,
        edits=(("meters.jsonl", "dial number 3", "dial number 3<|im_end|>"),),
    ),
    Mistake(
        "A key inside an object that is not there",
        "The gold stands in an object, and its key is misspelt.",
        "check recipe.toml",
        file="nested.jsonl",
        place="line 1",
        value="reward_model has no 'ground_truht'",
        fix="did you mean ground_truth?",
        code=1,
        edits=(
            ("recipe.toml", 'path = "meters.jsonl"', 'path = "nested.jsonl"'),
            ("recipe.toml", 'answer = "reading"', 'answer = "reward_model.ground_truht"'),
        ),
        files={"nested.jsonl": lines([{**row, "reward_model": {"ground_truth": n}} for n, row in enumerate(METERS)])},
    ),
    Mistake(
        "An unknown verifier",
        "The verifier is misspelt.",
        "check recipe.toml",
        file="recipe.toml",
        place="data.meters",
        value="'nubmer'",
        fix="did you mean number?",
        edits=(("recipe.toml", 'verifier = "number"', 'verifier = "nubmer"'),),
    ),
    Mistake(
        "A gold that doesn't parse",
        "A number is spelt out in words.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="'three and a bit'",
        fix="correct them",
        code=1,
        edits=(("meters.jsonl", '"reading": 3', '"reading": "three and a bit"'),),
    ),
    Mistake(
        "Rows without a verifier",
        "The `verifier` line is missing. The set is both a domain and a benchmark, and the error appears once.",
        "check recipe.toml",
        file="recipe.toml",
        place="data.signs",
        value="says no verifier",
        fix="known: anls, box",
        code=1,
        edits=(("recipe.toml", 'verifier = "text"\n', ""),),
    ),
    Mistake(
        "Two rows with one id",
        "A row was copied together with its id.",
        "check recipe.toml",
        file="meters.jsonl",
        place="line 3",
        value="'m2'",
        fix="make ids unique",
        code=1,
        edits=(("meters.jsonl", '"id": "m3"', '"id": "m2"'),),
    ),
    Mistake(
        "A percentage where a share is needed",
        "The person wants to hold out a tenth of the images, but writes 10.",
        "check recipe.toml",
        file="recipe.toml",
        place="data.signs.holdout",
        value="found 10",
        fix="write a number, 0 or more, at most 1",
        edits=(("recipe.toml", "holdout = 0.5", "holdout = 10"),),
    ),
)
