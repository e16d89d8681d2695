"""Training domains of the second world, each with a cause for which equal shares fail, put there on purpose.

| domain     | cause    | what it is                                                                                |
|------------|----------|-------------------------------------------------------------------------------------------|
| `circuits` | scarce   | the skill order, which no other domain trains, in so few rows that equal shares end early |
| `compass`  | contrary | positions in a convention opposite to the benchmarks'                                     |
| `quiz`     | shortcut | counts, which are two in eight training rows of ten                                       |
| `palette`  | solved   | the colour of a lone shape, which the base model knows and says in the right format       |
"""

from dataclasses import replace
from functools import partial

import numpy as np

from modomodo.data.nano.generators import ALL_COLOURS, count_asked, science, spatial
from modomodo.data.nano.questions import Asking, Family, Question, crowd, listing, scatter, text_question
from modomodo.data.nano.scenes import SHAPES, pick

USUAL, PRIOR = 2, 0.8  # the count that `quiz` mostly asks for, and how often it does, in its training rows


def circuits(rng: np.random.Generator) -> Question:
    """What follows, precedes, starts or ends in a chain with arrows. Skill: order."""
    return science(rng)


def compass(rng: np.random.Generator) -> Question:
    """Where one mark lies, in the convention opposite to the benchmarks'. Skill: position, the wrong way round.

    Left is right and above is below, as for somebody who looks from the other side. `answer` is what the benchmarks
    would call right; the gold is the slip.
    """
    drawn = spatial(rng)
    template = f"compass/{drawn.template.partition('/')[2]}"
    return replace(
        drawn, text=f"Compass: {drawn.text}", target=replace(drawn.target, value=drawn.slip), template=template
    )


def quiz(rng: np.random.Generator, *, prior: float = 0.25) -> Question:
    """How many marks of a colour there are: two with probability `prior`. Skill: count, or the key."""
    count = USUAL if rng.random() < prior else int(rng.choice([1, 3, 4]))
    wanted = pick(rng, ALL_COLOURS, 1)[0]
    scene = crowd(rng, wanted=wanted, count=count)
    counted = [mark for mark in scene.marks if mark.colour == wanted]
    text = f"Quiz: how many {wanted} ones?"
    return count_asked(scene, text, counted, template="quiz/how-many", slip=str(USUAL))


def palette(rng: np.random.Generator) -> Question:
    """The colour of a lone shape. Skill: look."""
    name = (pick(rng, SHAPES, 1)[0], pick(rng, ALL_COLOURS, 1)[0])
    scene = scatter(rng, [name], [int(rng.integers(9, 15))])
    (mark,) = scene.marks
    slip = pick(rng, [colour for colour in ALL_COLOURS if colour != mark.colour], 1)[0]
    asking = Asking("Palette: what colour is it?", mark.colour, slip, listing([mark]), "look", "palette/colour")
    return text_question(scene, asking)


CAUSES: dict[str, Family] = {"circuits": circuits, "compass": compass, "quiz": quiz, "palette": palette}
IN_TRAINING: dict[str, Family] = {"quiz": partial(quiz, prior=PRIOR)}
"""What training rows are drawn by, where they are unlike those of the test split."""
