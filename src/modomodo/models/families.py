"""The table of model families: where the vision tower is, how boxes are written, how images are resized.

Imports no torch: `check` plans a run for a model that is not on this machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from modomodo.core.errors import ModomodoError
from modomodo.core.files import foreign_json
from modomodo.core.rows import Frame, Resize
from modomodo.models.nano.model import CHECKPOINTS

FRAME_KEY = "modomodo_frame"
"""Key of a saved model's config.json: the frame that it was trained in, which is not always its family's."""


@dataclass(frozen=True)
class Family:
    """What the code must know of a family of models; `name` is the model_type of its config.json.

    `vision` and `projector` are the parts of the model by the paths of their modules, under `model.` or bare; a
    projector may stand inside the tower. `frame` is how its models were taught to write boxes; `resize` how its
    processor resizes images, where frame "resized" or a limit of pixels can refer to it. `hub` are beginnings of hub
    ids, the longest that fits decides.
    """

    name: str
    hub: tuple[str, ...]
    vision: tuple[str, ...]
    projector: tuple[str, ...]
    frame: Frame
    resize: Resize | None = None


# The limits of pixels are those of the preprocessor_config.json on the hub: 4 to 16384 tokens an image for Qwen2-VL
# and Qwen2.5-VL, 64 to 16384 for Qwen3-VL. Frames: Qwen2-VL, Qwen3-VL and InternVL write 0 to 1000, Qwen2.5-VL pixels
# of the resized image, LLaVA 0 to 1 (their model cards and papers). The others were taught no frame that their cards
# name, so 0 to 1000 is asked of them, which needs no size in the prompt.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "qwen2_vl",
            ("Qwen/Qwen2-VL-",),
            ("visual",),
            ("visual.merger",),
            "normalised1000",
            Resize(28, 56 * 56, 16384 * 28 * 28),
        ),
        Family(
            "qwen2_5_vl",
            ("Qwen/Qwen2.5-VL-",),
            ("visual",),
            ("visual.merger",),
            "resized",
            Resize(28, 56 * 56, 16384 * 28 * 28),
        ),
        Family(
            "qwen3_vl",
            ("Qwen/Qwen3-VL-",),
            ("visual",),
            ("visual.merger", "visual.deepstack_merger_list"),
            "normalised1000",
            Resize(32, 256 * 256, 4096 * 4096),
        ),
        # The first SmolVLM checkpoints (without the 2) are of model_type idefics3, which differs in name only.
        Family("smolvlm", ("HuggingFaceTB/SmolVLM",), ("vision_model",), ("connector",), "normalised1000"),
        Family("idefics3", ("HuggingFaceM4/Idefics3-",), ("vision_model",), ("connector",), "normalised1000"),
        Family("internvl", ("OpenGVLab/InternVL",), ("vision_tower",), ("multi_modal_projector",), "normalised1000"),
        Family(
            "llava",
            ("llava-hf/llava-1.5-", "llava-hf/llava-interleave-"),
            ("vision_tower",),
            ("multi_modal_projector",),
            "unit",
        ),
        Family("gemma3", ("google/gemma-3-",), ("vision_tower",), ("multi_modal_projector",), "normalised1000"),
    )
}


def family_of(model: str) -> Family | None:
    """Return the family of a model's folder (by the model_type of its config.json) or hub id; None when not known.

    A folder also says the frame that the model was trained in by modomodo, and the limits of its own processor. The
    embedded models are LLaVAs in their modules only: they were taught pixels, and have no family.
    """
    folder = Path(model)
    if model in CHECKPOINTS or folder.resolve() in CHECKPOINTS.values():
        return None
    config = _table(folder / "config.json")
    if config:
        family = FAMILIES.get(str(config.get("model_type")))
        return None if family is None else _as_saved(family, config, folder)
    fitting = [(len(start), family) for family in FAMILIES.values() for start in family.hub if model.startswith(start)]
    return max(fitting, key=lambda one: one[0], default=(0, None))[1]


def model_type(folder: str) -> str | None:
    """Return the model_type of a checkpoint's config.json; None where there is none to read."""
    name = _table(Path(folder) / "config.json").get("model_type")
    return name if isinstance(name, str) else None


def _as_saved(family: Family, config: Mapping[str, Any], folder: Path) -> Family:
    """Return the family as a checkpoint of it has it."""
    if config.get(FRAME_KEY) in get_args(Frame):
        family = replace(family, frame=cast(Frame, config[FRAME_KEY]))
    pictures = _table(folder / "processor_config.json").get("image_processor") or _table(
        folder / "preprocessor_config.json"
    )
    if family.resize is None or not isinstance(pictures, Mapping):
        return family
    limits = limits_of_pixels(cast(Mapping[str, Any], pictures))
    return replace(family, resize=replace(family.resize, **limits))


def limits_of_pixels(pictures: Mapping[str, Any]) -> dict[str, int]:
    """Return `min_pixels` and `max_pixels` as far as the table of a Qwen image processor says them."""
    given = pictures.get("size")
    size = cast(Mapping[str, Any], given if isinstance(given, Mapping) else {})
    limits: dict[str, Any] = {
        "min_pixels": pictures.get("min_pixels") or size.get("shortest_edge"),
        "max_pixels": pictures.get("max_pixels") or size.get("longest_edge"),
    }
    return {key: value for key, value in limits.items() if isinstance(value, int)}


def _table(path: Path) -> Mapping[str, Any]:
    """Return the table of a JSON file; empty where there is none to read."""
    try:
        return foreign_json(path)
    except ModomodoError:
        return {}
