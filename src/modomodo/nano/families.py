"""The families of the nano world: five to train on, four that share their skills and none of their wording.

| skill    | trained by         | needed by                     |
|----------|--------------------|-------------------------------|
| count    | detect             | charts, infographic, maths    |
| size     | refer              | maths, general                |
| length   | geometry           | charts, maths                 |
| position | spatial            | infographic, general          |
| order    | science            | infographic, general          |
| look     | refer, a little    | charts, easy_vqa              |
"""

import numpy as np

from modomodo.nano.questions import (
    OPPOSITE,
    Family,
    Question,
    bars,
    box_text,
    chain,
    count_question,
    crowd,
    lengths,
    letter_question,
    scatter,
    text_question,
)
from modomodo.nano.scenes import COLOURS, SHAPES, SIZE, Mark, Scene, in_cell, pastel, pick
from modomodo.rows import Target

IMAGE_SIZE = (SIZE, SIZE)
ALL_COLOURS = list(COLOURS)


# ---------------------------------------------------------------- training domains


def detect(rng: np.random.Generator) -> Question:
    """Every shape of a colour, or every mark of a shape, as boxes. Skill: count."""
    by_colour = bool(rng.integers(0, 2))
    wanted = pick(rng, ALL_COLOURS if by_colour else SHAPES, 1)[0]
    scene = crowd(rng, wanted=wanted, count=int(rng.integers(1, 4)))
    found = sorted((m.box for m in scene.marks if wanted in (m.colour, m.kind)), key=lambda box: (box[1] // 16, box[0]))
    missed = found[:-1] if len(found) > 1 else [pick(rng, [m.box for m in scene.marks if m.box not in found], 1)[0]]
    text = f"Box every {wanted} shape." if by_colour else f"Box every {wanted}."
    target = Target("boxes", tuple(found), image_size=IMAGE_SIZE)
    template = "detect/colour" if by_colour else "detect/shape"
    return Question(scene, text, target, box_text(found), box_text(missed), "count", template)


def refer(rng: np.random.Generator) -> Question:
    """The one mark that a phrase describes, as a box. Skills: size (mostly) and look."""
    if rng.random() < 0.25:
        names = list(zip(pick(rng, SHAPES, 4), pick(rng, ALL_COLOURS, 4), strict=True))
        scene = scatter(rng, names, [int(size) for size in rng.integers(9, 15, size=4)])
        gold, wrong, *_ = pick(rng, scene.marks, 4)
        return _box_question(scene, f"Box the {gold.name}.", gold, wrong, "look", "refer/name")
    largest = bool(rng.integers(0, 2))
    scene, ordered = _three_sizes(rng)
    gold, wrong = (ordered[-1], ordered[0]) if largest else (ordered[0], ordered[-1])
    word = "largest" if largest else "smallest"
    return _box_question(scene, f"Box the {word} shape.", gold, wrong, "size", f"refer/{word}")


def geometry(rng: np.random.Generator) -> Question:
    """Which line is longest, shortest or of a given length, as a letter. Skill: length."""
    scene, marks = bars(rng, count=4, upright=False)
    ordered = [mark.colour for _, mark in sorted(zip(lengths(marks), marks, strict=True), key=lambda pair: pair[0])]
    rank = int(rng.integers(0, 3))
    gold, wrong = [(ordered[3], ordered[0]), (ordered[0], ordered[3]), (ordered[2], ordered[1])][rank]
    word = ["longest", "shortest", "second longest"][rank]
    text = f"Which line is {word}?"
    options = pick(rng, ordered, 4)
    return letter_question(
        scene, text, options=options, answer=gold, slip=wrong, skill="length", template=f"geometry/{word}"
    )


def spatial(rng: np.random.Generator) -> Question:
    """Where one mark lies, seen from another or on the page, in a word or two. Skill: position."""
    if rng.random() < 0.5:
        names = list(zip(pick(rng, SHAPES, 3), pick(rng, ALL_COLOURS, 3), strict=True))
        scene = scatter(rng, names, [11, 11, 11])
        mark = scene.marks[0]
        answer, slip = _corner(mark), _corner(mark, mirrored=True)
        text = f"Where on the page is the {mark.kind}?"
        return text_question(scene, text, answer=answer, slip=slip, skill="position", template="spatial/page")
    scene, first, second, relation = _related(rng)
    text = f"Where is the {first.colour} {first.kind}, seen from the {second.colour} {second.kind}?"
    return text_question(
        scene, text, answer=relation, slip=OPPOSITE[relation], skill="position", template="spatial/seen-from"
    )


def science(rng: np.random.Generator) -> Question:
    """What follows, precedes, starts or ends in a chain with arrows, as a letter. Skill: order."""
    scene, marks = chain(rng, kinds=["circle"] * 4, across=bool(rng.integers(0, 2)))
    colours = [mark.colour for mark in marks]
    options = pick(rng, colours, 4)
    template = ["science/eats", "science/eaten", "science/start", "science/end"][int(rng.integers(0, 4))]
    middle = int(rng.integers(1, 3))
    text, answer, slip = {
        "science/eats": (
            f"Energy flows along the arrows. What gets it after {colours[middle]}?",
            middle + 1,
            middle - 1,
        ),
        "science/eaten": (
            f"Energy flows along the arrows. What had it before {colours[middle]}?",
            middle - 1,
            middle + 1,
        ),
        "science/start": ("Energy flows along the arrows. What is the source?", 0, 3),
        "science/end": ("Energy flows along the arrows. What gets it last?", 3, 0),
    }[template]
    return letter_question(
        scene, text, options=options, answer=colours[answer], slip=colours[slip], skill="order", template=template
    )


# ---------------------------------------------------------------- benchmarks


def charts(rng: np.random.Generator) -> Question:
    """Bar charts and pictograms. Skills: length, count, look."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        scene, marks = bars(rng, count=4, upright=True)
        ordered = [mark.colour for _, mark in sorted(zip(lengths(marks), marks, strict=True), key=lambda pair: pair[0])]
        top = bool(rng.integers(0, 2))
        text = "Chart: name the bar with the highest value." if top else "Chart: name the bar with the lowest value."
        answer, slip = (ordered[-1], ordered[0]) if top else (ordered[0], ordered[-1])
        template = "charts/highest" if top else "charts/lowest"
        return text_question(scene, text, answer=answer, slip=slip, skill="length", template=template)
    if kind == 1:
        scene, colour, units = _pictogram(rng)
        text = f"Chart: value of {colour}, one unit per symbol?"
        slip = units - 1 if units > 1 else 2
        return count_question(scene, text, answer=units, slip=slip, skill="count", template="charts/units")
    names = list(zip(pick(rng, SHAPES, 4), pick(rng, ALL_COLOURS, 4), strict=True))
    scene = scatter(rng, names, [11] * 4)
    gold, wrong, *_ = pick(rng, scene.marks, 4)
    text = f"Chart: which colour has the {gold.kind} symbol?"
    return text_question(scene, text, answer=gold.colour, slip=wrong.colour, skill="look", template="charts/symbol")


def infographic(rng: np.random.Generator) -> Question:
    """Panels, icons and flows. Skills: position, order, count."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        cells = [int(rng.choice([0, 1, 4, 5])) + offset for offset in (0, 2, 8, 10)]
        panels = ["upper left", "upper right", "lower left", "lower right"]
        marks = [
            in_cell(rng, cell, shape, colour, 12)
            for cell, shape, colour in zip(cells, pick(rng, SHAPES, 4), pick(rng, ALL_COLOURS, 4), strict=True)
        ]
        index = int(rng.integers(0, 4))
        text = f"Poster: what icon fills the {panels[index]} panel?"
        return text_question(
            Scene(pastel(rng), tuple(marks)),
            text,
            answer=marks[index].kind,
            slip=marks[3 - index].kind,
            skill="position",
            template="infographic/panel",
        )
    if kind == 1:
        scene, marks = chain(rng, kinds=pick(rng, SHAPES, 4), across=bool(rng.integers(0, 2)))
        index = int(rng.integers(1, 3))
        text = f"Poster: name the step that follows the {marks[index].kind}."
        return text_question(
            scene,
            text,
            answer=marks[index + 1].kind,
            slip=marks[index - 1].kind,
            skill="order",
            template="infographic/step",
        )
    wanted = pick(rng, SHAPES, 1)[0]
    count = int(rng.integers(1, 5))
    scene = crowd(rng, wanted=wanted, count=count)
    text = f"Poster: number of {wanted} icons?"
    slip = count - 1 if count > 1 else 2
    return count_question(scene, text, answer=count, slip=slip, skill="count", template="infographic/icons")


def maths(rng: np.random.Generator) -> Question:
    """Lengths, areas and totals. Skills: length, size, count."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        scene, marks = bars(rng, count=3, upright=bool(rng.integers(0, 2)))
        index = int(rng.integers(0, 3))
        length = lengths(marks)[index]
        text = f"Solve: length of segment {marks[index].colour} in units = ?"
        return count_question(scene, text, answer=length, slip=5 - length, skill="length", template="maths/units")
    if kind == 1:
        scene, ordered = _three_sizes(rng)
        greatest = bool(rng.integers(0, 2))
        answer, slip = (ordered[-1], ordered[0]) if greatest else (ordered[0], ordered[-1])
        text = f"Solve: colour of the figure with {'maximum' if greatest else 'minimum'} area = ?"
        template = "maths/maximum" if greatest else "maths/minimum"
        return text_question(scene, text, answer=answer.colour, slip=slip.colour, skill="size", template=template)
    colour = pick(rng, ALL_COLOURS, 1)[0]
    count = int(rng.integers(1, 5))
    scene = crowd(rng, wanted=colour, count=count)
    text = f"Solve: total of {colour} figures = ?"
    slip = count - 1 if count > 1 else 2
    return count_question(scene, text, answer=count, slip=slip, skill="count", template="maths/total")


def general(rng: np.random.Generator) -> Question:
    """Everyday questions. Skills: size, order, position."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        scene, ordered = _three_sizes(rng)
        text = "Hi! What kind of thing looks biggest to you?"
        return text_question(
            scene, text, answer=ordered[-1].kind, slip=ordered[0].kind, skill="size", template="general/biggest"
        )
    if kind == 1:
        scene, marks = chain(rng, kinds=["rectangle"] * 4, across=bool(rng.integers(0, 2)))
        first = bool(rng.integers(0, 2))
        answer, slip = (marks[0], marks[-1]) if first else (marks[-1], marks[0])
        text = f"Hi! I walk this path; what colour do I {'leave from' if first else 'arrive at'}?"
        template = "general/leave" if first else "general/arrive"
        return text_question(scene, text, answer=answer.colour, slip=slip.colour, skill="order", template=template)
    scene, first, second, relation = _related(rng)
    side = {"left": "to the left of", "right": "to the right of", "above": "over", "below": "under"}[relation]
    other = next(mark for mark in scene.marks if mark not in (first, second))
    text = f"Hi! What colour is the thing {side} the {second.kind}?"
    return text_question(
        scene, text, answer=first.colour, slip=other.colour, skill="position", template="general/neighbour"
    )


TRAINING: dict[str, Family] = {
    "detect": detect,
    "refer": refer,
    "geometry": geometry,
    "spatial": spatial,
    "science": science,
}
BENCHMARKS: dict[str, Family] = {"charts": charts, "infographic": infographic, "maths": maths, "general": general}
FAMILIES: dict[str, Family] = {**TRAINING, **BENCHMARKS}


# ---------------------------------------------------------------- shared pieces


def _box_question(scene: Scene, text: str, gold: Mark, wrong: Mark, skill: str, template: str) -> Question:
    target = Target("box", gold.box, image_size=IMAGE_SIZE)
    return Question(scene, text, target, str(list(gold.box)), str(list(wrong.box)), skill, template)


def _three_sizes(rng: np.random.Generator) -> tuple[Scene, list[Mark]]:
    """Return three different marks and the same ordered from small to large."""
    names = list(zip(pick(rng, SHAPES, 3), pick(rng, ALL_COLOURS, 3), strict=True))
    scene = scatter(rng, names, pick(rng, (6, 10, 14), 3))
    return scene, sorted(scene.marks, key=lambda mark: mark.width)


def _corner(mark: Mark, *, mirrored: bool = False) -> str:
    low, right = mark.box[1] >= SIZE // 2, mark.box[0] >= SIZE // 2
    if mirrored:
        low, right = not low, not right
    return f"{'bottom' if low else 'top'} {'right' if right else 'left'}"


def _related(rng: np.random.Generator) -> tuple[Scene, Mark, Mark, str]:
    """Return a scene of three marks on a cross: one beside the middle one, one on its other side, and the relation."""
    relation = pick(rng, list(OPPOSITE), 1)[0]
    step = {"left": -1, "right": 1, "above": -4, "below": 4}[relation]
    middle = pick(rng, (5, 6, 9, 10), 1)[0]
    shapes, colours = pick(rng, SHAPES, 3), pick(rng, ALL_COLOURS, 3)
    cells = (middle + step, middle, middle - step)
    marks = [in_cell(rng, cell, shapes[i], colours[i], 11) for i, cell in enumerate(cells)]
    return Scene(pastel(rng), tuple(marks)), marks[0], marks[1], relation


def _pictogram(rng: np.random.Generator) -> tuple[Scene, str, int]:
    """Return columns of stacked symbols, one colour a column, a colour and its number of symbols."""
    colours = pick(rng, ALL_COLOURS, 3)
    units = [int(n) for n in rng.integers(1, 5, size=3)]
    marks = [
        in_cell(rng, 4 * (3 - level) + column, "rectangle", colours[column], 10)
        for column in range(3)
        for level in range(units[column])
    ]
    index = int(rng.integers(0, 3))
    return Scene(pastel(rng), tuple(marks)), colours[index], units[index]
