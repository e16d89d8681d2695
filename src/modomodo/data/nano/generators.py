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

from modomodo.data.nano.questions import (
    OPPOSITE,
    Asking,
    Family,
    Question,
    bars,
    box_question,
    box_text,
    cell_of,
    chain,
    count_question,
    crowd,
    lengths,
    letter_question,
    listing,
    reading_order,
    scatter,
    text_question,
)
from modomodo.data.nano.scenes import COLOURS, SHAPES, Mark, Scene, in_cell, pastel, pick

ALL_COLOURS = list(COLOURS)
LETTERS = "ABCD"
SIZES = {6: "small", 10: "middle", 14: "large"}


# ---------------------------------------------------------------- training domains


def detect(rng: np.random.Generator) -> Question:
    """Every shape of a colour, or every mark of a shape, as boxes. Skill: count."""
    by_colour = bool(rng.integers(0, 2))
    wanted = pick(rng, ALL_COLOURS if by_colour else SHAPES, 1)[0]
    scene = crowd(rng, wanted=wanted, count=int(rng.integers(1, 4)))
    found = [mark for mark in reading_order(scene.marks) if wanted in (mark.colour, mark.kind)]
    others = [mark for mark in scene.marks if mark not in found]
    missed = found[:-1] if len(found) > 1 else pick(rng, others, 1)
    boxes = [mark.box for mark in found]
    asking = Asking(
        text=f"Box every {wanted} shape." if by_colour else f"Box every {wanted}.",
        answer=box_text(boxes),
        slip=box_text([mark.box for mark in missed]),
        evidence=_tally(found),
        skill="count",
        template="detect/colour" if by_colour else "detect/shape",
    )
    return box_question(scene, asking, boxes, one=False)


def refer(rng: np.random.Generator) -> Question:
    """The one mark that a phrase describes, as a box. Skills: size (mostly) and look."""
    if rng.random() < 0.25:
        scene = _four_names(rng)
        gold, wrong, *_ = pick(rng, scene.marks, 4)
        text, evidence, skill, template = f"Box the {gold.name}.", listing([gold]), "look", "refer/name"
    else:
        scene, ordered = _three_sizes(rng)
        largest = bool(rng.integers(0, 2))
        gold, wrong = (ordered[-1], ordered[0]) if largest else (ordered[0], ordered[-1])
        word = "largest" if largest else "smallest"
        text, evidence, skill, template = f"Box the {word} shape.", _sized(scene), "size", f"refer/{word}"
    asking = Asking(text, str(list(gold.box)), str(list(wrong.box)), evidence, skill, template)
    return box_question(scene, asking, [gold.box], one=True)


def geometry(rng: np.random.Generator) -> Question:
    """Which line is longest, shortest or second longest, as the letter of its place. Skill: length."""
    scene, marks = bars(rng, count=4, upright=False)
    measured = dict(zip(LETTERS, lengths(marks), strict=True))
    ordered = sorted(LETTERS, key=lambda letter: measured[letter])
    word = pick(rng, ["longest", "shortest", "second longest"], 1)[0]
    gold, wrong = {"longest": (3, 0), "shortest": (0, 3), "second longest": (2, 1)}[word]
    evidence = " ".join(f"{letter} {length}" for letter, length in measured.items())
    asking = Asking(f"Which line is {word}?", ordered[gold], ordered[wrong], evidence, "length", f"geometry/{word}")
    return letter_question(scene, asking, "top")


def spatial(rng: np.random.Generator) -> Question:
    """Where one mark lies, seen from another or on the page, in a word or two. Skill: position."""
    if rng.random() < 0.5:
        names = list(zip(pick(rng, SHAPES, 3), pick(rng, ALL_COLOURS, 3), strict=True))
        scene = scatter(rng, names, [11, 11, 11])
        mark = scene.marks[0]
        text, template = f"Where on the page is the {mark.kind}?", "spatial/page"
        answer, slip = _corner(mark), _corner(mark, mirrored=True)
    else:
        scene, first, second, answer = _related(rng)
        text = f"Where is the {first.name}, seen from the {second.name}?"
        slip, template = OPPOSITE[answer], "spatial/seen-from"
    return text_question(scene, Asking(text, answer, slip, listing(scene.marks), "position", template))


def science(rng: np.random.Generator) -> Question:
    """What follows, precedes, starts or ends in a chain with arrows, as the letter of its place. Skill: order."""
    across = bool(rng.integers(0, 2))
    scene, marks = chain(rng, kinds=["circle"] * 4, across=across)
    letters = {mark.colour: letter for mark, letter in zip(reading_order(marks), LETTERS, strict=True)}
    colours = [mark.colour for mark in marks]
    middle = int(rng.integers(1, 3))
    template = pick(rng, ["science/after", "science/before", "science/start", "science/end"], 1)[0]
    text, answer, slip = {
        "science/after": (f"What gets it after {colours[middle]}?", middle + 1, middle - 1),
        "science/before": (f"What had it before {colours[middle]}?", middle - 1, middle + 1),
        "science/start": ("What is the source?", 0, 3),
        "science/end": ("What gets it last?", 3, 0),
    }[template]
    gold, wrong = colours[answer], colours[slip]
    evidence = f"{' '.join(colours)} so {gold} {letters[gold]}"
    text = f"Energy flows along the arrows. {text}"
    return letter_question(
        scene, Asking(text, letters[gold], letters[wrong], evidence, "order", template), "left" if across else "top"
    )


# ---------------------------------------------------------------- benchmarks


def charts(rng: np.random.Generator) -> Question:
    """Bar charts and pictograms. Skills: length, count, look."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        scene, marks = bars(rng, count=4, upright=True)
        ordered = _by_length(marks)
        word = pick(rng, ["highest", "lowest"], 1)[0]
        answer, slip = (ordered[-1], ordered[0]) if word == "highest" else (ordered[0], ordered[-1])
        text = f"Chart: name the bar with the {word} value."
        return text_question(scene, Asking(text, answer, slip, _measured(marks), "length", f"charts/{word}"))
    if kind == 1:
        scene, stack = _pictogram(rng)
        text = f"Chart: value of {stack[0].colour}, one unit per symbol?"
        return count_asked(scene, text, stack, template="charts/units")
    scene = _four_names(rng)
    gold, wrong, *_ = pick(rng, scene.marks, 4)
    text = f"Chart: which colour has the {gold.kind} symbol?"
    return text_question(scene, Asking(text, gold.colour, wrong.colour, listing([gold]), "look", "charts/symbol"))


def infographic(rng: np.random.Generator) -> Question:
    """Panels, icons and flows. Skills: position, order, count."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        panels = {"upper left": 0, "upper right": 2, "lower left": 8, "lower right": 10}
        cells = [int(rng.choice([0, 1, 4, 5])) + first for first in panels.values()]
        names = zip(pick(rng, SHAPES, 4), pick(rng, ALL_COLOURS, 4), strict=True)
        marks = [in_cell(rng, cell, *name, 12) for cell, name in zip(cells, names, strict=True)]
        index = int(rng.integers(0, 4))
        text = f"Poster: what icon fills the {list(panels)[index]} panel?"
        asking = Asking(text, marks[index].kind, marks[3 - index].kind, listing(marks), "position", "infographic/panel")
        return text_question(Scene(pastel(rng), tuple(marks)), asking)
    if kind == 1:
        scene, marks = chain(rng, kinds=pick(rng, SHAPES, 4), across=bool(rng.integers(0, 2)))
        kinds = [mark.kind for mark in marks]
        index = int(rng.integers(1, 3))
        text = f"Poster: name the step that follows the {kinds[index]}."
        asking = Asking(text, kinds[index + 1], kinds[index - 1], " ".join(kinds), "order", "infographic/step")
        return text_question(scene, asking)
    wanted = pick(rng, SHAPES, 1)[0]
    scene = crowd(rng, wanted=wanted, count=int(rng.integers(1, 5)))
    icons = [mark for mark in scene.marks if mark.kind == wanted]
    return count_asked(scene, f"Poster: number of {wanted} icons?", icons, template="infographic/icons")


def maths(rng: np.random.Generator) -> Question:
    """Lengths, areas and totals. Skills: length, size, count."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        scene, marks = bars(rng, count=3, upright=bool(rng.integers(0, 2)))
        mark = pick(rng, marks, 1)[0]
        length = lengths([mark])[0]
        text = f"Solve: length of segment {mark.colour} in units = ?"
        evidence = f"{_measured(marks)} so {mark.colour} {length}"
        asking = Asking(text, str(length), str(5 - length), evidence, "length", "maths/units")
        return count_question(scene, asking)
    if kind == 1:
        scene, ordered = _three_sizes(rng)
        word = pick(rng, ["maximum", "minimum"], 1)[0]
        answer, slip = (ordered[-1], ordered[0]) if word == "maximum" else (ordered[0], ordered[-1])
        text = f"Solve: colour of the figure with {word} area = ?"
        return text_question(scene, Asking(text, answer.colour, slip.colour, _sized(scene), "size", f"maths/{word}"))
    colour = pick(rng, ALL_COLOURS, 1)[0]
    scene = crowd(rng, wanted=colour, count=int(rng.integers(1, 5)))
    figures = [mark for mark in scene.marks if mark.colour == colour]
    return count_asked(scene, f"Solve: total of {colour} figures = ?", figures, template="maths/total")


def general(rng: np.random.Generator) -> Question:
    """Everyday questions. Skills: size, order, position."""
    kind = int(rng.integers(0, 3))
    if kind == 0:
        scene, ordered = _three_sizes(rng)
        text = "Hi! What kind of thing looks biggest to you?"
        return text_question(
            scene, Asking(text, ordered[-1].kind, ordered[0].kind, _sized(scene), "size", "general/biggest")
        )
    if kind == 1:
        scene, marks = chain(rng, kinds=["rectangle"] * 4, across=bool(rng.integers(0, 2)))
        colours = [mark.colour for mark in marks]
        template = pick(rng, ["general/leave", "general/arrive"], 1)[0]
        answer, words = (0, "leave from") if template == "general/leave" else (3, "arrive at")
        text = f"Hi! I walk this path; what colour do I {words}?"
        asking = Asking(text, colours[answer], colours[3 - answer], " ".join(colours), "order", template)
        return text_question(scene, asking)
    scene, first, second, relation = _related(rng)
    side = {"left": "to the left of", "right": "to the right of", "above": "over", "below": "under"}[relation]
    other = next(mark for mark in scene.marks if mark not in (first, second))
    text = f"Hi! What colour is the thing {side} the {second.kind}?"
    asking = Asking(text, first.colour, other.colour, listing(scene.marks), "position", "general/neighbour")
    return text_question(scene, asking)


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


def count_asked(scene: Scene, text: str, marks: list[Mark], *, template: str, slip: str | None = None) -> Question:
    """Return the question how many these marks are; by default the slip is one less."""
    count = len(marks)
    slip = slip or str(count - 1 if count > 1 else 2)
    return count_question(scene, Asking(text, str(count), slip, _tally(marks), "count", template))


def _tally(marks: list[Mark]) -> str:
    return " ".join(cell_of(mark) for mark in reading_order(marks))


def _sized(scene: Scene) -> str:
    return " ".join(f"{SIZES[mark.width]} {mark.name} {cell_of(mark)}" for mark in reading_order(scene.marks))


def _measured(marks: list[Mark]) -> str:
    return " ".join(f"{mark.colour} {length}" for mark, length in zip(marks, lengths(marks), strict=True))


def _by_length(marks: list[Mark]) -> list[str]:
    """Return the colours from the shortest mark to the longest."""
    return [marks[i].colour for i in np.argsort(lengths(marks))]


def _four_names(rng: np.random.Generator) -> Scene:
    names = list(zip(pick(rng, SHAPES, 4), pick(rng, ALL_COLOURS, 4), strict=True))
    return scatter(rng, names, [int(size) for size in rng.integers(9, 15, size=4)])


def _three_sizes(rng: np.random.Generator) -> tuple[Scene, list[Mark]]:
    """Return three different marks and the same ordered from small to large."""
    names = list(zip(pick(rng, SHAPES, 3), pick(rng, ALL_COLOURS, 3), strict=True))
    scene = scatter(rng, names, pick(rng, list(SIZES), 3))
    return scene, sorted(scene.marks, key=lambda mark: mark.width)


def _corner(mark: Mark, *, mirrored: bool = False) -> str:
    column, row = (int(number) > 2 for number in cell_of(mark).split(","))
    if mirrored:
        column, row = not column, not row
    return f"{'bottom' if row else 'top'} {'right' if column else 'left'}"


def _related(rng: np.random.Generator) -> tuple[Scene, Mark, Mark, str]:
    """Return a scene of three marks in a line: one beside the middle one, one on its other side, and the relation."""
    relation = pick(rng, list(OPPOSITE), 1)[0]
    step = {"left": -1, "right": 1, "above": -4, "below": 4}[relation]
    middle = pick(rng, (5, 6, 9, 10), 1)[0]
    names = zip(pick(rng, SHAPES, 3), pick(rng, ALL_COLOURS, 3), strict=True)
    cells = (middle + step, middle, middle - step)
    marks = [in_cell(rng, cell, *name, 11) for cell, name in zip(cells, names, strict=True)]
    return Scene(pastel(rng), tuple(marks)), marks[0], marks[1], relation


def _pictogram(rng: np.random.Generator) -> tuple[Scene, list[Mark]]:
    """Return three columns of stacked symbols, one colour a column, and the symbols of one column."""
    colours = pick(rng, ALL_COLOURS, 3)
    stacks = [
        [in_cell(rng, 4 * (3 - level) + column, "rectangle", colour, 10) for level in range(int(rng.integers(1, 5)))]
        for column, colour in enumerate(colours)
    ]
    marks = tuple(mark for stack in stacks for mark in stack)
    return Scene(pastel(rng), marks), pick(rng, stacks, 1)[0]
