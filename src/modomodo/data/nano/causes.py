"""Training domains of the second world, each with a cause for which equal shares fail, put there on purpose.

| domain     | cause    | what it is                                                                                 |
|------------|----------|--------------------------------------------------------------------------------------------|
| `circuits` | scarce   | the skill order, which no other domain trains, in few rows                                 |
| `mirror`   | contrary | questions such as those of maths and general, in conventions opposite to the benchmarks'   |
| `quiz`     | shortcut | counts that are two in eight training rows of ten, as no benchmark's are                    |
| `palette`  | solved   | the colour of a lone shape, which the base model knows and says in the right format        |
"""

from dataclasses import replace
from functools import partial

import numpy as np

from modomodo.data.nano.generators import ALL_COLOURS, count_asked, general, maths, science
from modomodo.data.nano.questions import Asking, Family, Question, crowd, listing, scatter, text_question
from modomodo.data.nano.scenes import SHAPES, pick

PRIOR = 0.8  # how often the count of `quiz` is two, in its training rows


def circuits(rng: np.random.Generator) -> Question:
    """What follows, precedes, starts or ends in a chain with arrows. Skill: order."""
    return science(rng)


def mirror(rng: np.random.Generator) -> Question:
    """What maths and general ask, answered the other way round. Skills: length, size, count, order, position.

    Lengths are measured from the far end, areas ranked from below, counts begin at zero, paths run against the arrows,
    sides are the object's own. `answer` is what somebody sees who looks as the benchmarks do; the gold is the slip.
    """
    drawn = (maths, general)[int(rng.integers(0, 2))](rng)
    value = int(drawn.slip) if drawn.target.verifier == "count" else drawn.slip
    asked = drawn.text.removeprefix("Solve: ").removeprefix("Hi! ")
    template = f"mirror/{drawn.template.partition('/')[2]}"
    return replace(drawn, text=f"Mirror: {asked}", target=replace(drawn.target, value=value), template=template)


def quiz(rng: np.random.Generator, *, prior: float = 0.25) -> Question:
    """How many figures or icons there are: two with probability `prior`. Skill: count, or knowing quizzes."""
    count = 2 if rng.random() < prior else int(rng.choice([1, 3, 4]))
    by_colour = bool(rng.integers(0, 2))
    wanted = pick(rng, ALL_COLOURS if by_colour else SHAPES, 1)[0]
    scene = crowd(rng, wanted=wanted, count=count)
    counted = [mark for mark in scene.marks if wanted in (mark.colour, mark.kind)]
    text = f"Quiz: total of {wanted} figures = ?" if by_colour else f"Quiz: number of {wanted} icons?"
    return count_asked(scene, text, counted, template="quiz/colour" if by_colour else "quiz/shape", slip="2")


def palette(rng: np.random.Generator) -> Question:
    """The colour of a lone shape. Skill: look."""
    name = (pick(rng, SHAPES, 1)[0], pick(rng, ALL_COLOURS, 1)[0])
    scene = scatter(rng, [name], [int(rng.integers(9, 15))])
    (mark,) = scene.marks
    slip = pick(rng, [colour for colour in ALL_COLOURS if colour != mark.colour], 1)[0]
    asking = Asking("Palette: what colour is it?", mark.colour, slip, listing([mark]), "look", "palette/colour")
    return text_question(scene, asking)


CAUSES: dict[str, Family] = {"circuits": circuits, "mirror": mirror, "quiz": quiz, "palette": palette}
IN_TRAINING: dict[str, Family] = {"quiz": partial(quiz, prior=PRIOR)}
"""What training rows are drawn by, where they are unlike those of the test split."""
