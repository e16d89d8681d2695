"""The model: its family, its chat template, what it knows, and the length of its completions."""

from collections.abc import Iterator, Sequence

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.rows import Row
from modomodo.data.domain import Domain, Problem
from modomodo.models.families import model_type
from modomodo.models.names import is_here, model_path
from modomodo.models.nano.model import CHECKPOINTS
from modomodo.runs.inputs import declared
from modomodo.study.checks.subject import Subject
from modomodo.verifiers import gold_reply

GOLDS = 256  # of each domain, whose length in tokens is looked at


def check_embedded(subject: Subject) -> Iterator[Problem]:
    """Yield that an embedded model is trained on data that it does not know."""
    recipe = subject.recipe
    strange = [name for name in recipe.domains if recipe.model in CHECKPOINTS and _from_data(recipe, name)]
    if strange:
        what = f"{recipe.model} knows the embedded domains alone: completions for {', '.join(strange)} will not parse"
        yield Problem("model", f"{what}: set model to one that follows instructions", level="note")


def _from_data(recipe: Recipe, name: str) -> bool:
    """Return whether the domain comes from a table of data; False for an unknown one, which is said elsewhere."""
    try:
        return declared(recipe, name).origin is not None
    except ModomodoError:
        return False


def check_family(subject: Subject) -> Iterator[Problem]:
    """Yield that the family is another than the checkpoint's own."""
    recipe = subject.recipe
    subject.say(f"model {recipe.model}")
    kind = model_type(model_path(recipe.model))
    alike = {recipe.family, kind} == {"smolvlm", "idefics3"}
    if recipe.family is not None and kind is not None and kind != recipe.family and not alike:
        what = f"family is {recipe.family!r}, but config.json of {recipe.model} says {kind!r}: leave family out"
        yield Problem("family", what)


def check_model(subject: Subject) -> Iterator[Problem]:
    """Yield what is wrong with the model's chat template, and the domains whose gold replies would be cut."""
    recipe = subject.recipe
    try:
        present = is_here(recipe.model, recipe.revision)
    except ModomodoError as error:
        yield Problem("model", str(error))
        return
    if not present:
        what = (
            f"{recipe.model} is not on this machine: its chat template and the length of completions are not looked at"
        )
        yield Problem("model", what, level="note")
        return
    from modomodo.models.chat_template import check_prompts
    from modomodo.models.load import check_weights, load_processor, reply_lengths

    path, trained = model_path(recipe.model), list(_training_rows(subject))
    try:
        check_weights(path, revision=recipe.revision)
        processor = load_processor(path, revision=recipe.revision, resize=recipe.view.resize)
        check_prompts(processor, path, [domain.prompt(rows[0], recipe.view) for domain, rows in trained])
    except ModomodoError as error:
        yield Problem("model", str(error))
        return
    for domain, rows in trained:
        golds = [gold_reply(row.target, recipe.view) for row in rows[:GOLDS]]
        longest = max(reply_lengths(processor, golds))
        if longest > recipe.max_completion_length:
            yield Problem(
                domain.name,
                f"the longest gold reply has {longest} tokens before any thinking, max_completion_length is "
                f"{recipe.max_completion_length}: completions would be cut before </answer>; raise it",
            )


def _training_rows(subject: Subject) -> Iterator[tuple[Domain, Sequence[Row]]]:
    """Yield the domains whose rows to train on can be read here; `check_domains` says what keeps the others from it."""
    for name in subject.recipe.domains:
        try:
            domain = subject.here(name)
            rows = domain.load("train") if domain is not None and "train" in domain.splits else ()
        except ModomodoError:
            continue
        if domain is not None and rows:
            yield domain, rows
