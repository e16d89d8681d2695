"""From an image of odd size through the prompt to a gold reply that earns 1, in the frame of each family."""

import re

import pytest
from mixed import png, recipe

from modomodo.core.rows import Row, Target, open_image
from modomodo.data.sources.prompts import ask
from modomodo.models.families import FAMILIES
from modomodo.models.load import load_processor
from modomodo.verifiers import gold_reply, grade

ODD = ((641, 333), (27, 1001), (3, 5), (1000, 1), (97, 89))


def boxes(size):
    width, height = size
    yield 0, 0, width, height
    if min(size) > 2:
        yield 1, 1, width - 1, height - 1
    yield width / 7, height / 3, width / 3, height - height / 9


@pytest.mark.parametrize("size", ODD, ids=str)
def test_a_gold_box_comes_back_whole(family, made, size):
    view = recipe(made(family)).view
    assert view.frame == FAMILIES[family].frame
    for box in boxes(size):
        row = Row("1", "mixed", "where", Target("box", box, image_size=size), (png(size, 0),))
        verdict = grade(gold_reply(row.target, view), row.target, view)
        assert verdict.reward == 1.0, (box, verdict)
        prompt = ask(row, view)[0]["content"][-1]["text"]
        assert {"normalised1000": "thousandths", "unit": "from 0 to 1", "resized": "in pixels"}[view.frame] in prompt


def test_the_size_in_the_prompt_is_the_size_that_the_model_sees(family, made):
    view = recipe(made(family)).view
    if view.frame != "resized":
        return
    processor = load_processor(str(made(family)), resize=view.resize)
    for size in ((641, 333), (27, 1001), (97, 89)):
        row = Row("1", "mixed", "where", Target("box", (0, 0, *size), image_size=size), (png(size, 0),))
        said = re.search(r"(\d+) wide and (\d+) high", ask(row, view)[0]["content"][-1]["text"])
        grid = processor.image_processor(open_image(row.images[0]), return_tensors="pt")["image_grid_thw"][0]
        assert said is not None
        side = view.resize.factor // 2
        assert (int(said[1]), int(said[2])) == (int(grid[2]) * side, int(grid[1]) * side)
