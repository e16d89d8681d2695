"""recipe.toml and study.toml of a first study as text, every line explained from what was seen of the data."""

import json
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modomodo.cli.init.boxes import Size
from modomodo.cli.init.columns import WRONG, Roles
from modomodo.cli.init.options import columns_of
from modomodo.cli.init.table import Table
from modomodo.cli.init.verifier import Suggestion
from modomodo.core.errors import printable
from modomodo.core.toml import toml_value

WIDTH = 118
STEPS, PROMPTS = 20, 4
LEAST_HOLDOUT = 0.1
MODEL = (
    '# Who is trained. "nano" is inside modomodo and makes every command run at once on a laptop, but it knows its',
    "# own drawn images alone: it will learn nothing of yours. To train a real one write, instead of this line,",
    '#   model = "Qwen/Qwen3-VL-2B-Instruct"',
    '#   precision = "bfloat16"',
    "#   lora = { rank = 16, alpha = 32 }    # adapters alone",
    "#   gradient_checkpointing = true",
    "#   completions_per_pass = 4            # fits a GPU of 24 GB; see recipes/one-gpu and recipes/modern",
    'model = "nano"',
)


@dataclass(frozen=True)
class Trial:
    """What check said of the first rows: what is wrong with some, how many it looked at, and what is to know."""

    bad: tuple[str, ...] = ()
    looked: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All that the two files are written from.

    `path` is the data's as the recipe names it, and `pictures` the folder of its images, where it is another
    than the data's; `answers` is what training reads in the column of the answers.
    """

    name: str
    path: str
    pictures: str | None
    table: Table
    roles: Roles
    answers: tuple[Any, ...]
    suggestion: Suggestion
    sizes: tuple[Size, ...]
    question: str
    holdout: float
    trained: int
    trial: Trial = Trial()

    @property
    def tested(self) -> bool:
        """Whether rows are kept for a test."""
        return self.table.tested is not None or self.holdout > 0


def comment(text: str) -> list[str]:
    """Return a text as lines of a TOML comment: whatever it holds, no part of it can be read as TOML."""
    plain = " ".join(printable(text).split())
    return [f"# {line}" for line in textwrap.wrap(plain, WIDTH - 2, break_on_hyphens=False)] or ["#"]


def entry(key: str, value: object, *why: str) -> list[str]:
    """Return a line of TOML under the comment that explains it."""
    return [*comment(" ".join(why)), f"{key} = {toml_value(value)}"]


def recipe_text(plan: Plan) -> str:
    """Return recipe.toml."""
    lines = [
        *comment(f"Written by `modomodo init` from {plan.table.path}. It is yours now: change any line."),
        "# One run. `modomodo check` says what is wrong with it.",
        "",
        *MODEL,
        "",
        '# What is trained on. A study looks for the best shares of its domains, so it needs two: "spatial" comes with',
        '# modomodo. With a real model write another set of yours, or a published one like "scienceqa" (docs/data.md).',
        f"domains = {toml_value([plan.name, 'spatial'])}",
        *entry("mixture", "equal", f'shares of a single run; "single:{plan.name}" trains on your set alone'),
        "",
        *_length_lines(plan),
        "",
        *comment(f"Your set: {_rows(plan)}, columns {', '.join(map(repr, plan.table.columns))}."),
        f"[data.{plan.name}]",
        *_data_lines(plan),
        "",
        '# How completions are judged: by the public metrics. The mode "paper" takes exact matches alone.',
        "[view]",
        'mode = "standard"',
        "",
        "# What a single run is scored on when it ends, on rows that it was not trained on. A study names its own.",
        "[evaluation]",
        f"benchmarks = {toml_value(_benchmarks(plan)[:1])}",
        "items = 64 # rows of each at most",
    ]
    return "\n".join(lines) + "\n"


def _length_lines(plan: Plan) -> list[str]:
    rows, prompts = plan.trained, STEPS * PROMPTS
    epochs = max(1, math.ceil(prompts / max(1, rows)))
    why = f"times that a row may come: {rows} rows, where a run on your set alone asks {prompts} prompts"
    return [
        "# How long. These are few, to try; a real run takes 400 steps of 16 prompts with 8 completions each.",
        f"steps = {STEPS}",
        f"prompts_per_step = {PROMPTS}",
        "num_generations = 4 # completions to each prompt: those that earn more than the others are made likelier",
        *entry("epochs", epochs, why),
        "learning_rate = 5e-5 # for nano; with lora 1e-5, and 1e-6 for all weights of a real model",
        f"max_completion_length = {_reply_tokens(plan)} # tokens; 512 for a model that is to think first",
    ]


def _benchmarks(plan: Plan) -> list[str]:
    return [plan.name, "charts"] if plan.tested else ["charts"]


def _rows(plan: Plan) -> str:
    tested = "" if plan.table.tested is None else f" to train on and {plan.table.tested} for the test"
    return f"{len(plan.table.rows)} rows{tested}"


def _reply_tokens(plan: Plan) -> int:
    """Return tokens that are enough for every gold reply: a token is a byte at least."""
    texts = [json.dumps(answer, default=repr, ensure_ascii=False) for answer in plan.answers]
    longest = max(len(text.encode(errors="replace")) for text in texts)
    wordy = 4 if plan.suggestion.verifier in ("box", "boxes") else 1  # each box in words of its own
    return max(40, 8 * math.ceil((longest * wordy + 24) / 8))


def _data_lines(plan: Plan) -> list[str]:
    why = _reasons(plan)
    fields = source_fields(plan, plan.holdout)
    lines: list[str] = []
    if plan.suggestion.verifier is None:
        lines += [*comment(f"verifier: {plan.suggestion.why}."), '# verifier = "..."']
    for field, value in fields.items():
        lines += entry(field, value, why[field])
    return lines


def _reasons(plan: Plan) -> Mapping[str, str]:
    """Return field -> why it is as it is."""
    roles, suggestion = plan.roles, plan.suggestion
    made = (
        "here the column with the question"
        if roles.question
        else "here made of the columns' names: put it in your own words"
    )
    options = "a column for each option" if isinstance(roles.options, tuple) else "the column with the options"
    what = "pictures" if roles.images.columns else "rows"
    held = f"share of the {what} kept for the test, as there is no split for it; "
    held += f"{plan.holdout:g} of {len(plan.table.rows)} rows"
    held += ": with less, a half of the test might be empty" if plan.holdout > LEAST_HOLDOUT else ""
    return {
        "path": "where the rows are, seen from the folder of this file",
        "id": "the column that names a row, once each; without one it is the row's number",
        "question": f"what the model is asked, {{column}} for what a column holds; {made}",
        "answer": f"the column with the right answer{_inside(plan)}; {_others(plan)}",
        "options": f"{options} of a choice: shown as A, B, C under the question",
        "images": _images(plan),
        "pictures": "the folder that the paths of images are seen from, where all of them are",
        "objects": "the column of the names and boxes that <ref-object> and <bbox> stand for in question and answer",
        "verifier": f"what judges a completion (docs/verifiers.md), because of the {suggestion.why}",
        "split_column": "the column that says which rows are for training and which for the test",
        "splits": "what the splits are called there",
        "holdout": held,
        **{field: why for field, (_, why) in suggestion.fields.items()},
    }


def _inside(plan: Plan) -> str:
    """Return which part of the column's values is the answer, where it is not the whole."""
    if plan.roles.answer == plan.roles.question:
        return ": the reply that ends the chat in it, where the question is what its user says"
    whole = plan.table.columns[plan.roles.answer]
    tagged = any(isinstance(value, str) and value != own for value, own in zip(whole, plan.answers, strict=True))
    return ": what is between <answer> and </answer>" if tagged else ""


def _others(plan: Plan) -> str:
    taken = {plan.roles.id, plan.roles.question, plan.roles.answer, plan.table.split_column}
    taken |= set(columns_of(plan.roles.options))
    taken |= {*plan.roles.images.columns, *plan.roles.around, plan.roles.objects}
    others = [name for name in plan.table.columns if name not in taken and name.lower() != WRONG]
    return (
        f"others that could be it: {', '.join(map(repr, others))}" if others else "there is no other that could be it"
    )


def _images(plan: Plan) -> str:
    if not plan.roles.images.columns:
        return "no column has images"
    from_where = "" if plan.pictures else "; paths are seen from the folder of the rows"
    return f"the columns with images, {_seen_pictures(plan)}{from_where}"


def _seen_pictures(plan: Plan) -> str:
    if not plan.sizes:
        return "whose sizes could not be read"
    low, high = (tuple(pick(size[k] for size in plan.sizes) for k in (0, 1)) for pick in (min, max))
    between = f"{low[0]} x {low[1]} pixels" if low == high else f"{low[0]} x {low[1]} to {high[0]} x {high[1]} pixels"
    scaled = ", scaled to 640 on the longer side (max_side)" if max(high) > 640 else ""
    return f"{between} in the first {len(plan.sizes)} rows{scaled}"


def study_text(plan: Plan) -> str:
    """Return study.toml."""
    lines = [
        "# Written by `modomodo init`. A study: runs of recipe.toml at several mixtures of its domains.",
        "",
        *entry("name", plan.name, f"its runs and its report go to studies/{plan.name}, from where you call modomodo"),
        'recipe = "recipe.toml" # beside this file',
        "",
        f"# The scores that the mixture is chosen for: {'your test rows, and ' * plan.tested}one of modomodo's own.",
        '# With a real model write public ones instead, for example "mathvista" and "chartqa" (docs/data.md).',
        f"benchmarks = {toml_value(_benchmarks(plan))}",
        "# Seen by no choice at all, only by `modomodo confirm` at the end: does the answer hold elsewhere?",
        'held_out = ["general"]',
        "items = 64 # rows of each, at most: one half of a benchmark chooses, the other confirms. 500 for a real study",
        "",
        "# Which mixtures are run: spread over all shares, in as many runs as you can pay for. 8 are few.",
        'design = "space-filling"',
        "budget = 8",
        "",
        "[confirm]",
        "seeds = 2 # runs of the recommended mixture, and as many of equal shares; 4 or more for a real study",
    ]
    return "\n".join(lines) + "\n"


def source_fields(plan: Plan, holdout: float) -> dict[str, Any]:
    """Return the fields of the domain's table; `path` as the recipe names it."""
    roles, table = plan.roles, plan.table
    fields: dict[str, Any] = {"path": plan.path, "id": roles.id, "question": plan.question, "answer": roles.answer}
    fields |= {"options": roles.options, "images": roles.images.columns, "pictures": plan.pictures}
    fields |= {"objects": roles.objects, "verifier": plan.suggestion.verifier}
    fields |= {field: value for field, (value, _) in plan.suggestion.fields.items()}
    if plan.suggestion.verifier != "choice":
        fields["options"] = None  # choices that no answer names are not shown
    fields |= {"split_column": table.split_column, "splits": table.splits, "holdout": holdout or None}
    return {field: value for field, value in fields.items() if value is not None}
