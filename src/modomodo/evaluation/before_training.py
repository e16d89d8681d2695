"""What the model says of a few rows before it is trained: which groups of completions teach, and whether it sees."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from modomodo.config.recipe import Recipe
from modomodo.core.rows import Row, Verdict, opened
from modomodo.core.seeds import child_rng
from modomodo.data.audit import Finding
from modomodo.data.domain import Domain, verdict_on
from modomodo.evaluation.generate import complete, own_random_numbers

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

PROMPTS = 16
BATCH = 32
MOST = 0.5
"""Groups that teach nothing make a domain solved or hopeless from this share on."""
SEES = 0.1
"""Completions that change with the image: below this share it hardly reaches the model."""


@dataclass(frozen=True)
class Asked:
    """What a model says of `prompts` rows of a domain, `size` completions to each at the recipe's temperature.

    `right` and `wrong` are the shares of groups in which every completion earns all, or nothing, `unparsed` that of
    completions without an answer, `mean` the mean reward. `blank` and `swapped` are the shares of rows whose greedy
    completion changes with a white image, or with another row's; None where no row has an image.
    """

    where: str
    prompts: int
    size: int
    mean: float
    right: float
    wrong: float
    unparsed: float
    blank: float | None
    swapped: float | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(_findings(self))


def ask_domain(
    model: "PreTrainedModel",
    processor: "ProcessorMixin",
    domain: Domain,
    recipe: Recipe,
    *,
    prompts: int = PROMPTS,
    progress: Callable[[int], None] | None = None,
) -> Asked:
    """Return what the model says of rows to train on, drawn by the recipe's seed.

    `progress` is told of completions as they are done.

    Raises ModomodoError when rows cannot be read or asked.
    """
    from modomodo.models.chat_template import try_prompts

    rows = domain.load("train")
    order = child_rng(recipe.seed, "asked", domain.name).permutation(len(rows))[:prompts]
    drawn = [rows[int(place)] for place in order]

    def say(asked: Sequence[Row], sampled: bool) -> list[str]:
        completions = complete(model, processor, domain, asked, recipe=recipe, sampled=sampled, batch=BATCH)
        if progress is not None:
            progress(len(asked))
        return completions

    try_prompts(processor, recipe.model, [domain.prompt(row, recipe.view) for row in drawn])
    size = recipe.num_generations
    with own_random_numbers(recipe, "asked", domain.name):
        replies = say([row for row in drawn for _ in range(size)], True)
    verdicts = [
        verdict_on(drawn[place // size], reply, domain=domain, view=recipe.view) for place, reply in enumerate(replies)
    ]
    blank, swapped = _changes(drawn, lambda seen: say(seen, False))
    return _asked(f"{domain.name} (train)", verdicts, size, blank=blank, swapped=swapped)


def _asked(where: str, verdicts: Sequence[Verdict], size: int, *, blank: float | None, swapped: float | None) -> Asked:
    """Return the shares over groups of `size` verdicts; what cannot be graded counts as 0, and `check` names it."""
    rewards = [verdict.reward or 0.0 for verdict in verdicts]
    groups = [rewards[start : start + size] for start in range(0, len(rewards), size)]
    return Asked(
        where=where,
        prompts=len(groups),
        size=size,
        mean=sum(rewards) / len(rewards),
        right=sum(min(group) == 1 for group in groups) / len(groups),
        wrong=sum(max(group) == 0 for group in groups) / len(groups),
        unparsed=sum(verdict.status == "unparsed" for verdict in verdicts) / len(verdicts),
        blank=blank,
        swapped=swapped,
    )


def completions_asked(recipe: Recipe, rows: int) -> int:
    """Return how many completions `ask_domain` makes of a domain with images."""
    return min(PROMPTS, rows) * (recipe.num_generations + 3)


def _changes(rows: Sequence[Row], say: Callable[[Sequence[Row]], list[str]]) -> tuple[float | None, float | None]:
    """Return the shares of rows whose completion changes with a white image, and with the next row's."""
    seen = [row for row in rows if row.images]
    if not seen:
        return None, None
    own = say(seen)
    blank = say([replace(row, images=tuple(map(_white, row.images))) for row in seen])
    others = [other.images for other in (*seen[1:], seen[0])]
    paired = [k for k, row in enumerate(seen) if len(others[k]) == len(row.images) and others[k] != row.images]
    swapped = say([replace(row, images=others[k]) if k in paired else row for k, row in enumerate(seen)])
    changed = [swapped[k] != own[k] for k in paired]
    return (
        sum(one != other for one, other in zip(own, blank, strict=True)) / len(seen),
        sum(changed) / len(changed) if changed else None,
    )


def _white(image: bytes | Path) -> bytes:
    from PIL import Image

    with opened(image) as picture:
        size = picture.size
    data = io.BytesIO()
    Image.new("RGB", size, "white").save(data, "PNG")
    return data.getvalue()


def _findings(asked: Asked) -> Iterator[Finding]:
    of = f"of {asked.prompts} groups of {asked.size}"
    if asked.right >= MOST:
        what = f"solved: {asked.right:.0%} {of} are all right already and teach nothing"
        yield Finding("warning", asked.where, f"{what}: cap its share, or take harder rows")
    if asked.wrong >= MOST:
        why = f" ({asked.unparsed:.0%} of the completions have no answer that parses)" if asked.unparsed else ""
        what = f"hopeless: {asked.wrong:.0%} {of} are all wrong and teach nothing{why}"
        yield Finding(
            "warning", asked.where, f"{what}: take easier rows, or say the form of the answer in `instruction`"
        )
    shares = [share for share in (asked.blank, asked.swapped) if share is not None]
    if not shares or max(shares) >= SEES:
        return
    what = f"another image changes {max(shares):.0%} of the completions"
    if max(shares) == 0 and asked.unparsed >= MOST:
        what = f"{what}, and {asked.unparsed:.0%} have no answer that parses"
        yield Finding("warning", asked.where, f"{what}: nothing tells whether the image reaches the model")
    elif max(shares) == 0:
        advice = "see whether its chat template and processor take images, and `modomodo play` for the prompt"
        yield Finding("error", asked.where, f"{what}: the image does not reach the model; {advice}")
    else:
        yield Finding(
            "warning", asked.where, f"{what}: the questions hardly need it; look at them with `modomodo play`"
        )
