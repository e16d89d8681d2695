import itertools

import numpy as np
import pytest

from modomodo.core.rows import View
from modomodo.core.seeds import child_rng
from modomodo.data.nano.causes import CAUSES
from modomodo.data.nano.generators import BENCHMARKS, FAMILIES, TRAINING
from modomodo.data.nano.scenes import SIZE, draw
from modomodo.data.nano.world import SIZES, question, rows
from modomodo.data.sets import easy_vqa
from modomodo.models.nano.captions import LABEL_SIZES, caption, cell_labels, lone_shape
from modomodo.models.nano.habits import CAREFUL, HABITS, UNEVEN_HABITS, WRONG_TOOL, clean_reply, habitual_reply
from modomodo.verifiers import grade


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_is_determined_by_family_split_index_and_seed(family):
    assert question(family, "test", 5) == question(family, "test", 5)
    places = itertools.product(("train", "test"), (1, 2), (1, 2))
    assert len({question(family, split, index, seed=seed) for split, index, seed in places}) == 8


@pytest.mark.parametrize("family", FAMILIES)
def test_train_and_test_share_no_picture(family):
    scenes = {split: {question(family, split, index).scene for index in range(200)} for split in ("train", "test")}
    assert not scenes["train"] & scenes["test"]


def test_seeds_share_nothing():
    first, second = ({question("science", "train", i, seed=seed).scene for i in range(200)} for seed in (42, 43))
    assert len(first & second) < 3


@pytest.mark.parametrize("family", FAMILIES)
def test_gold_earns_one_and_the_slip_earns_less(family):
    for index in range(60):
        drawn = question(family, "test", index)
        assert grade(clean_reply(drawn), drawn.target, View()).reward == 1
        slip = clean_reply(drawn).replace(f"<answer>{drawn.answer}</answer>", f"<answer>{drawn.slip}</answer>")
        assert (grade(slip, drawn.target, View()).reward or 0) < 1


def test_every_mark_lies_on_the_picture_and_every_template_has_habits():
    templates = set()
    for family in (*FAMILIES, *CAUSES):
        for index in range(150):
            drawn = question(family, "train", index)
            templates.add(drawn.template)
            for mark in drawn.scene.marks:
                assert 0 <= mark.box[0] < mark.box[2] <= SIZE
                assert 0 <= mark.box[1] < mark.box[3] <= SIZE
    easy = {easy_vqa.template(row.question) for row in easy_vqa.rows("test")}
    assert templates | easy == set(UNEVEN_HABITS)
    assert set(HABITS) < set(UNEVEN_HABITS)
    assert set(CAREFUL) == set(WRONG_TOOL) == set(WRONG_TOOL.values())


def test_benchmarks_share_no_wording_with_the_training_domains():
    def wordings(families):
        # The words before any colour, shape or option: enough to tell templates apart.
        return {" ".join(question(family, "train", i).text.split()[:2]) for family in families for i in range(80)}

    assert not wordings(TRAINING) & wordings(BENCHMARKS)


def test_benchmarks_have_no_training_rows_and_sizes_are_as_declared():
    assert rows("charts", "train") == ()
    assert len(rows("charts", "test")) == SIZES["test"]
    assert len(rows("spatial", "train")) == SIZES["train"]


def test_habits_are_careful_about_a_third_and_formed_about_half_of_the_time():
    rng = child_rng(0, "test")
    replies = [habitual_reply(question(family, "train", i), rng) for family in FAMILIES for i in range(150)]
    formed = np.mean([reply.startswith("<think>") and reply.endswith("</answer>") for reply in replies])
    careful = np.mean([any(f"<think>{words} " in reply for words in CAREFUL.values()) for reply in replies])
    assert 0.45 < formed < 0.65
    assert 0.2 < careful < 0.4


def test_captions_and_labels_name_what_is_drawn():
    scene = question("science", "train", 3).scene
    assert caption(scene).count("circle") == 4
    assert caption(scene).split(" arrows ")[1] in ("left", "right", "up", "down")
    labels = cell_labels(lone_shape(child_rng(1, "lone")))
    assert len(labels) == 16
    assert all(0 <= value < size for label in labels for value, size in zip(label, LABEL_SIZES, strict=True))


def test_easy_vqa_keeps_its_published_sizes():
    assert (len(easy_vqa.rows("train")), len(easy_vqa.rows("test"))) == (38_575, 9_673)


def test_pictures_are_64_pixels_of_rgb():
    assert draw(question("charts", "test", 0).scene).size == (SIZE, SIZE)
