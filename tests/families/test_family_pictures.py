"""Processors of every family on mixed batches: with the cache as without, and with the recipe's limits."""

import pytest
import torch
from mixed import SIZES, png, recipe
from PIL import Image

from modomodo.core.rows import open_image
from modomodo.models.families import FAMILIES, family_of
from modomodo.models.load import load_processor
from modomodo.training.batches import mixed_batch_processor

BATCHES = ([1, 0, 1], [2, 0], [0, 1, 2, 1], [2, 1], [1, 1], [0, 0])


def pictures(counts) -> list[list[Image.Image] | None]:
    numbers = iter(range(100))
    drawn = [open_image(png(size, seed)) for seed, size in enumerate(SIZES)]
    return [[drawn[next(numbers) % len(drawn)] for _ in range(count)] or None for count in counts]


def texts(processor, counts) -> list[str]:
    parts = [[{"type": "image"}] * count + [{"type": "text", "text": "what colour"}] for count in counts]
    messages = [[{"role": "user", "content": part}] for part in parts]
    return [processor.apply_chat_template(one, add_generation_prompt=True, tokenize=False) for one in messages]


def processors(path, **options):
    processor = load_processor(path)
    for name, value in options.items():
        setattr(processor.image_processor, name, value)
    return tuple(mixed_batch_processor(processor, cache_images=cache) for cache in (True, False))


def assert_same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(torch.as_tensor(found[name]), torch.as_tensor(value)), name


@pytest.mark.parametrize("counts", BATCHES, ids=str)
def test_cached_pictures_give_the_same_batch(family, made, counts):
    cached, plain = processors(str(made(family)))
    images = pictures(counts)
    for _ in range(2):
        batches = [
            one(images=images, text=texts(one, counts), padding=True, return_tensors="pt") for one in (cached, plain)
        ]
        assert_same(*batches)
    assert ("pixel_values" in batches[0]) == any(counts)


def test_cached_pictures_give_the_same_prompts_where_the_trainer_asks_for_lists(family, made):
    """The trainer tokenizes its prompts without padding and without tensors."""
    cached, plain = processors(str(made(family)))
    prompts = [
        [
            {
                "role": "user",
                "content": [*({"type": "image", "image": one} for one in row or []), {"type": "text", "text": "a"}],
            }
        ]
        for row in pictures([1, 0, 2])
    ]
    found, wanted = (
        one.apply_chat_template(prompts, add_generation_prompt=True, tokenize=True, return_dict=True)
        for one in (cached, plain)
    )
    assert found["input_ids"] == wanted["input_ids"]
    assert len({len(ids) for ids in found["input_ids"]}) == 3


CROPS = {
    "gemma3": {
        "do_pan_and_scan": True,
        "pan_and_scan_min_crop_size": 16,
        "pan_and_scan_max_num_crops": 4,
        "pan_and_scan_min_ratio_to_activate": 1.2,
    },
    "smolvlm": {"do_image_splitting": False},
}


@pytest.mark.parametrize("kind", CROPS)
def test_crops_and_unsplit_pictures_are_joined_too(kind, made):
    cached, plain = processors(str(made(kind)), **CROPS[kind])
    counts = [1, 0, 2]
    images = pictures(counts)
    batches = [
        one(images=images, text=texts(one, counts), padding=True, return_tensors="pt") for one in (cached, plain)
    ]
    assert_same(*batches)


def test_the_image_processor_alone_takes_rows_without_pictures(family, made):
    """The trainer asks InternVL's for its number of tiles so."""
    images = pictures([1, 0, 2])
    found, wanted = (one.image_processor(images=images, return_tensors="pt") for one in processors(str(made(family))))
    assert_same(found, wanted)


def test_limits_of_pixels_reach_the_processor(family, made):
    table = FAMILIES[family]
    if table.resize is None:
        with pytest.raises(Exception, match="limit the resizing of the Qwen families"):
            recipe(made(family), max_pixels=100_000)
        return
    factor = table.resize.factor
    limits = {"min_pixels": 4 * factor**2, "max_pixels": 9 * factor**2}
    view = recipe(made(family), **limits).view
    processor = load_processor(str(made(family)), resize=view.resize)
    for size in ((641, 333), (27, 1001), (3, 5), (28, 28)):
        grid = processor.image_processor(open_image(png(size, 0)), return_tensors="pt")["image_grid_thw"][0]
        assert view.resize.size(size) == (int(grid[2]) * factor // 2, int(grid[1]) * factor // 2)
        assert view.resize.size(size)[0] * view.resize.size(size)[1] <= limits["max_pixels"] or min(size) < 30


def test_a_checkpoint_keeps_its_own_limits(family, made):
    found = family_of(str(made(family)))
    assert found is not None
    if found.resize is not None:
        side = found.resize.factor // 2
        assert (found.resize.min_pixels, found.resize.max_pixels) == (4 * side**2, 64 * side**2)
        assert recipe(made(family)).view.resize == found.resize
        processor = load_processor(str(made(family)), resize=found.resize)
        assert processor.image_processor.size["longest_edge"] == found.resize.max_pixels
