import copy

from PIL import Image

from modomodo.training.batches import Kept, shared


def test_what_was_asked_for_longest_ago_is_forgotten():
    kept: Kept[str, str] = Kept(limit=10)
    made = []

    def get(key):
        return kept.get(key, lambda: made.append(key) or key * 4, size=len)

    assert [get(key) for key in "aabaca"] == ["aaaa", "aaaa", "bbbb", "aaaa", "cccc", "aaaa"]
    assert made == ["a", "b", "c"]
    get("b")
    assert made == ["a", "b", "c", "b"]
    assert kept.get("big", lambda: "x" * 99, size=len) == "x" * 99


def test_a_shared_picture_survives_deep_copies():
    picture = shared(Image.new("RGB", (3, 2)))
    assert copy.deepcopy([{"image": picture}])[0]["image"] is picture
    assert isinstance(picture, Image.Image)
    assert picture.convert("L").size == (3, 2)


def test_cached_pictures_give_the_same_tensors_and_mixed_batches_work(random_model):
    import torch

    from modomodo.data.nano.scenes import draw
    from modomodo.data.nano.world import question
    from modomodo.models.load import load_processor
    from modomodo.training.batches import mixed_batch_processor

    pictures = [draw(question("charts", "test", index).scene) for index in range(3)]
    images = [[pictures[0]], None, [pictures[1]], [pictures[0]], [pictures[2]]]
    texts = ["a" if image is None else "<image>a" for image in images]
    processor = load_processor(str(random_model))
    cached, plain = (mixed_batch_processor(processor, cache_images=cache) for cache in (True, False))
    for _ in range(2):
        found = cached(images=images, text=texts, padding=True, return_tensors="pt")
        wanted = plain(images=images, text=texts, padding=True, return_tensors="pt")
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
        assert found["pixel_values"].shape[0] == 4
    none = cached(images=[None, []], text=["a", "a"], padding=True, return_tensors="pt")
    assert "pixel_values" not in none
    assert type(processor) is not type(cached), "the processor that is saved and scored with stays as it was"
