"""What a study of 64 pilots of a 7 B model costs, by the arithmetic of `modomodo check`: nothing here was measured.

python benchmarks/costs.py
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from modomodo import Mixture, Recipe, Study, load_study
from modomodo.mixing import detectable_difference
from modomodo.study import GIB, PICTURE_TOKENS, QUESTION_TOKENS, SHAPES, Estimate, estimate, shape_of

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"
STUDY = Path(__file__).parents[1] / "recipes/modern/study-lora.toml"
SETS = (f"recipe.model={MODEL}", "budget=64", "confirm.seeds=8")
LONGER = 4  # times the steps of a pilot, for the answer
GPUS = (4, 8, 24, 32, 64, 128)
PRICES = (2, 4)  # dollars for an hour of an H100
SEEDS = (2, 4, 8, 16)
NOISE = 0.02  # by which runs at nearly the same mixture differ in the paper's Out-Score, about
SHARDS = 8
SHARDED = ("weights", "gradients and AdamW", "16-bit copies", "reference model")
CHANGES = {
    "as above": (),
    "32 pilots": ("budget=32",),
    "16 pilots": ("budget=16",),
    "200 steps": ("recipe.steps=200",),
    "250 items of each benchmark": ("items=250",),
    "completions of at most 256 tokens": ("recipe.max_completion_length=256",),
    "4 seeds of confirmation": ("confirm.seeds=4",),
    "Qwen3-VL-4B": ("recipe.model=Qwen/Qwen3-VL-4B-Instruct",),
    "Qwen2.5-VL-3B": ("recipe.model=Qwen/Qwen2.5-VL-3B-Instruct",),
}
SMALL = "Qwen2.5-VL-3B"

Span = tuple[float, float]
"""Hours with completions of half the allowed length, and of all of it."""


def of(recipe: Recipe) -> Estimate:
    """Return what a run needs."""
    shape = shape_of(recipe)
    assert shape is not None, recipe.model
    return estimate(recipe, shape)


def hours(runs: Iterable[Recipe]) -> Span:
    """Return the hours of runs, one after the other."""
    found = [of(run).hours for run in runs]
    return sum(low for low, _ in found), sum(high for _, high in found)


def stages(study: Study) -> dict[str, list[Recipe]]:
    """Return the runs of each stage; mixtures differ in what they teach, and not in what they cost."""
    equal = Mixture.uniform(study.recipe.domains)
    assert study.budget is not None
    seeds = study.confirm.seeds
    fresh = study.confirming_recipe(equal, index=0)
    untrained = fresh.model_copy(update={"steps": 0})
    return {
        "pilots": [study.pilot_recipe(equal)] * study.budget,
        "the model as it is, on both halves": [study.base_recipe(), untrained],
        f"confirmation, {seeds} seeds of two mixtures": [fresh] * (2 * seeds),
        "the answer, four times as long": [fresh.model_copy(update={"steps": LONGER * fresh.steps})],
    }


def with_all_weights(study: Study) -> Study:
    """Return the study without adapters."""
    return study.model_copy(update={"recipe": study.recipe.model_copy(update={"lora": None})})


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [" | ".join(row) for row in (head, *rows)]
    return "\n".join([f"| {lines[0]} |", "|" + "---|" * len(head), *(f"| {line} |" for line in lines[1:])])


def span(found: Span, times: float = 1, *, digits: int = 0) -> str:
    """Return both ends as text."""
    return " to ".join(f"{times * end:,.{digits}f}" for end in found)


def money(found: Span) -> list[str]:
    """Return what hours cost at each price."""
    return [f"${span(found, price)}" for price in PRICES]


def memory(study: Study) -> str:
    """Return GiB by what takes them: with adapters, with all weights, and with these shared among GPUs."""
    equal = Mixture.uniform(study.recipe.domains)
    lora, full = (of(one.pilot_recipe(equal)).memory for one in (study, with_all_weights(study)))
    shared = {name: size / SHARDS if name in SHARDED else size for name, size in full.items()}
    columns: dict[str, Mapping[str, float]] = {
        "adapters": lora,
        "all weights": full,
        f"all weights, on {SHARDS} GPUs": shared,
    }
    names = list(dict.fromkeys(name for one in columns.values() for name in one))
    rows = [[name, *(f"{one.get(name, 0):.0f}" for one in columns.values())] for name in names]
    total = ["**GiB in all**", *(f"**{sum(one.values()):.0f}**" for one in columns.values())]
    return table(["", *columns], [*rows, total])


def costs(study: Study) -> str:
    """Return the stages: runs, hours of a GPU, and dollars."""
    found = stages(study)
    found["**in all**"] = [run for runs in found.values() for run in runs]
    rows = [[name, str(len(runs)), span(hours(runs)), *money(hours(runs))] for name, runs in found.items()]
    return table(["stage", "runs", "GPU-hours", *(f"at ${price}" for price in PRICES)], rows)


def waves(study: Study) -> str:
    """Return how long the pilots take on so many GPUs, a run on each."""
    pilots = stages(study)["pilots"]
    pilot = of(pilots[0]).hours
    rows: list[list[str]] = []
    for gpus in GPUS:
        count = math.ceil(len(pilots) / gpus)
        idle = 1 - (len(pilots) - (count - 1) * gpus) / gpus
        late = f"{span(pilot, count + 1, digits=1)} (+{1 / count:.0%})"
        rows.append([str(gpus), str(count), span(pilot, count, digits=1), f"{idle:.0%}", late])
    head = [
        "GPUs",
        "waves",
        "hours",
        "GPUs idle in the last wave",
        "hours, if a run of the last wave takes twice as long",
    ]
    return table(head, rows)


def storage(study: Study) -> str:
    """Return what runs leave on the storage, and what they need where they run."""
    found = stages(study)
    trained = [run for runs in found.values() for run in runs if run.steps]
    model = 4 * SHAPES[MODEL].parameters / GIB
    # Weights and two moments of each adapter in float32: as many bytes as its gradient and the moments.
    checkpoint = of(trained[0]).memory["gradients and AdamW"]
    rows = [
        ["model of a finished run, in float32", f"{model:.0f} GiB"],
        [f"models of the {len(found['pilots'])} pilots", f"{len(found['pilots']) * model / 1024:.1f} TiB"],
        [f"models of all {len(trained)} trained runs", f"{len(trained) * model / 1024:.1f} TiB"],
        ["checkpoint of adapters, of each run under way", f"{checkpoint:.1f} GiB"],
        ["`TMPDIR` of a node of 8 GPUs: two checkpoints and a model a run", f"{8 * (2 * checkpoint + model):.0f} GiB"],
    ]
    return table(["what", "size"], rows)


def pilot(study: Study) -> str:
    """Return what one pilot is made of."""
    recipe = stages(study)["pilots"][0]
    completions = recipe.steps * recipe.prompts_per_step * recipe.num_generations
    read, longest = PICTURE_TOKENS + QUESTION_TOKENS, recipe.max_completion_length
    written = (completions * longest / 2 / 1e6, completions * longest / 1e6)
    whole = (completions * (read + longest / 2) / 1e6, completions * (read + longest) / 1e6)
    untrained = of(recipe.model_copy(update={"steps": 0})).hours
    lost = recipe.save_every / recipe.steps
    rows = [
        ["completions", f"{completions:,}"],
        ["tokens written, millions", span(written, digits=1)],
        ["tokens trained on, prompts counted, millions", span(whole, digits=1)],
        ["hours of an H100", span(of(recipe).hours, digits=2)],
        ["of these, scoring", span(untrained, digits=2)],
        [f"most that a lost run repeats: {recipe.save_every} steps of {recipe.steps}", f"{lost:.1%}"],
    ]
    return table(["a pilot", ""], rows)


def seeds() -> str:
    """Return what confirmation costs and finds."""
    rows: list[list[str]] = []
    for count in SEEDS:
        runs = next(
            runs
            for name, runs in stages(load_study(STUDY, [*SETS, f"confirm.seeds={count}"])).items()
            if name.startswith("confirmation")
        )
        least = detectable_difference(1.0, seeds=count)
        rows.append(
            [str(count), str(len(runs)), span(hours(runs)), *money(hours(runs)), f"{least:.1f}", f"{least * NOISE:.3f}"]
        )
    head = ["seeds", "runs", "GPU-hours", *(f"at ${price}" for price in PRICES), "gain found, in sd of a run"]
    return table([*head, f"with an sd of {NOISE}"], rows)


def changes() -> str:
    """Return the hours of the whole study, changed in one way each."""
    studies = {name: load_study(STUDY, [*SETS, *sets]) for name, sets in CHANGES.items()}
    studies["all weights, shared among GPUs at no loss"] = with_all_weights(studies["as above"])
    runs = {name: [run for runs in stages(study).values() for run in runs] for name, study in studies.items()}
    small, large = stages(studies[SMALL]), stages(studies["as above"])
    late = [name for name in large if name.startswith(("confirmation", "the answer"))]
    runs[f"pilots of {SMALL}, the rest as above"] = [
        run for name in large for run in (large if name in late else small)[name]
    ]
    whole = hours(runs["as above"])[1]
    rows = [
        [name, span(hours(of_study)), *money(hours(of_study)), f"{hours(of_study)[1] / whole:.0%}"]
        for name, of_study in runs.items()
    ]
    return table(["the study", "GPU-hours", *(f"at ${price}" for price in PRICES), "of the first"], rows)


def main() -> None:
    """Print the tables of docs/costs.md."""
    study = load_study(STUDY, SETS)
    parts = (memory, pilot, costs, waves, storage)
    print("\n\n".join([*(part(study) for part in parts), seeds(), changes()]))


if __name__ == "__main__":
    main()
