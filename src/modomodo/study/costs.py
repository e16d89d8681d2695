"""What a run needs, worked out on paper before a GPU starts: memory, and hours. Estimates, not measurements.

Imports no torch: the shapes of the models in recipes/ are written down here, those of local ones are read.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modomodo.config.recipe import Recipe, digest
from modomodo.core.errors import ModomodoError
from modomodo.core.files import foreign_json
from modomodo.core.packages import is_installed
from modomodo.data.domain import Problem
from modomodo.models.safe_files import weight_shapes
from modomodo.runs.hardware import gpus

GIB = 2.0**30
ADAM = 8  # bytes of AdamW's two moments, float32
PICTURE_TOKENS = 530  # of one image of 640 x 640, at 28 x 28 pixels a token
QUESTION_TOKENS = 150
# Activations that one layer keeps for its backward pass, bytes for each token and hidden unit in 16 bits, attention
# computed in blocks. Source: Korthikanti et al. 2022, section 4, without the attention scores.
LAYER_BYTES = 34
EVALUATION_BATCH = 64
LARGEST_BENCHMARK = 1500  # items of one half, of the larger public ones
NEEDS_GPU = 100e6  # parameters


@dataclass(frozen=True)
class Gpu:
    """A GPU: memory in GiB, memory traffic in bytes and 16-bit multiplications and additions, per second."""

    name: str
    memory: float
    bytes_per_second: float
    flops: float


H100 = Gpu("H100", 80, 3.35e12, 989e12)
USED = 0.35  # share of the peak that training of a small model reaches
TOKEN_SECONDS = {"off": 0.030, "colocate": 0.008, "server": 0.008}  # least time of one decoding step, its launch costs


@dataclass(frozen=True)
class Shape:
    """The size of a model: parameters in all and of the vision tower, layers, hidden size and vocabulary."""

    parameters: int
    vision: int
    layers: int
    hidden: int
    vocabulary: int


# Counted on their configurations, see tests/study/test_costs.py.
SHAPES = {
    "Qwen/Qwen2-VL-2B-Instruct": Shape(2_208_985_600, 665_271_296, 28, 1536, 151_936),
    "Qwen/Qwen2.5-VL-3B-Instruct": Shape(3_754_622_976, 668_684_288, 36, 2048, 151_936),
    "Qwen/Qwen2.5-VL-7B-Instruct": Shape(8_292_166_656, 676_550_144, 28, 3584, 152_064),
    "Qwen/Qwen3-VL-2B-Instruct": Shape(2_127_532_032, 406_957_056, 28, 2048, 151_936),
    "Qwen/Qwen3-VL-4B-Instruct": Shape(4_437_815_808, 415_347_712, 36, 2560, 151_936),
}


@dataclass(frozen=True)
class Estimate:
    """Memory of one GPU in GiB by what takes it, and hours of one H100 for a run, from completions of half the allowed
    length to completions of all of it."""

    memory: dict[str, float]
    hours: tuple[float, float]

    @property
    def total(self) -> float:
        return sum(self.memory.values())


def shape_of(recipe: Recipe) -> Shape | None:
    """Return the shape of the recipe's model; None where it is neither known nor on this machine."""
    return SHAPES.get(recipe.model) or _counted(Path(recipe.model))


def estimate(recipe: Recipe, shape: Shape) -> Estimate:
    """Return what a run needs, its schedule not cut short by a domain that runs out."""
    return Estimate(_memory(recipe, shape), (_hours(recipe, shape, length=0.5), _hours(recipe, shape, length=1.0)))


def _memory(recipe: Recipe, shape: Shape) -> dict[str, float]:
    trained = _trained(recipe, shape)
    small = 2 if recipe.precision == "bfloat16" else 4  # bytes of a number that is computed with
    weights = shape.parameters * (4 if recipe.lora is None else small) + 4 * trained * (recipe.lora is not None)
    completions = recipe.completions_per_pass or recipe.prompts_per_step * recipe.num_generations
    tokens = completions * (PICTURE_TOKENS + QUESTION_TOKENS + recipe.max_completion_length)
    kept = shape.layers * 2 + LAYER_BYTES if recipe.gradient_checkpointing else shape.layers * LAYER_BYTES
    sizes = {
        "weights": weights,
        "gradients and AdamW": (4 + ADAM) * trained,
        "16-bit copies": small * trained if recipe.precision == "bfloat16" else 0,
        "reference model": 4 * shape.parameters if recipe.kl > 0 and recipe.lora is None else 0,
        "activations": tokens * shape.hidden * kept * small / 2,
        "logits": completions * recipe.max_completion_length * shape.vocabulary * (small + 8),
        "vLLM": recipe.vllm.gpu_memory * H100.memory * GIB if recipe.vllm.mode == "colocate" else 0,
    }
    return {name: size / GIB for name, size in sizes.items() if size}


def _hours(recipe: Recipe, shape: Shape, *, length: float) -> float:
    plan = recipe.evaluation
    items = len(plan.benchmarks) * min(plan.items, LARGEST_BENCHMARK) * (plan.samples or 1) * (1 + len(plan.at))
    completions = recipe.prompts_per_step * recipe.num_generations
    reply = recipe.max_completion_length * length
    read = 2 * shape.parameters / H100.bytes_per_second  # the weights pass through the GPU for each token of a batch
    decoding = reply * max(TOKEN_SECONDS[recipe.vllm.mode], read)
    tokens = completions * (PICTURE_TOKENS + QUESTION_TOKENS + reply)
    forward = 2 * shape.parameters * tokens
    passes = 1 + recipe.gradient_checkpointing + (recipe.kl > 0)
    backward = 2 * forward if recipe.lora is None else forward
    training = (forward * passes + backward) / (USED * H100.flops)
    scoring = items / EVALUATION_BATCH * reply * max(TOKEN_SECONDS["off"], read)
    return (recipe.steps * (decoding + training) + scoring) / 3600


def _trained(recipe: Recipe, shape: Shape) -> int:
    """Return how many parameters are trained."""
    if recipe.lora is None:
        return shape.parameters - (shape.vision if recipe.freeze_vision else 0)
    # Seven matrices of a layer, each with a side of the hidden size and the others about three times it.
    return shape.layers * recipe.lora.rank * shape.hidden * 7 * 3


def _counted(folder: Path) -> Shape | None:
    """Return the shape that a local checkpoint's config.json and the headers of its weights say."""
    try:
        config = foreign_json(folder / "config.json")
        shapes = weight_shapes(sorted(folder.glob("*.safetensors")))
    except (ModomodoError, ImportError):
        return None  # `check` says what is wrong with the folder
    inner = config.get("text_config")
    text = cast(Mapping[str, Any], inner) if isinstance(inner, Mapping) else config
    layers, hidden, vocabulary = (text.get(key) for key in ("num_hidden_layers", "hidden_size", "vocab_size"))
    if not (isinstance(layers, int) and isinstance(hidden, int) and isinstance(vocabulary, int)):
        return None
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    vision = sum(size for name, size in sizes.items() if "vis" in name)
    return Shape(sum(sizes.values()), vision, layers, hidden, vocabulary)


def cost(recipes: Sequence[Recipe], *, label: str) -> Iterator[Problem]:
    """Yield the note on what runs of a model that needs a GPU take, by arithmetic; equal ones are carried out once."""
    recipes = list({digest(recipe.identity()): recipe for recipe in recipes}.values())
    shape = shape_of(recipes[0])
    if recipes[0].engine == "verl":
        installed = "" if is_installed("verl") else "; verl is not installed here, and is needed where runs are made"
        what = f"memory and hours are not estimated for verl: the arithmetic is for runs on one GPU{installed}"
        yield Problem(label, what, level="note")
        return
    if shape is None or shape.parameters < NEEDS_GPU:
        return
    estimates = [estimate(recipe, shape) for recipe in recipes]
    largest = max(estimates, key=lambda one: one.total)
    parts = ", ".join(f"{name} {size:.1f}" for name, size in largest.memory.items())
    low, high = (sum(one.hours[side] for one in estimates) for side in (0, 1))
    longest = max(one.hours[1] for one in estimates)
    runs = f"{len(recipes)} runs, one of them the model as it is," if len(recipes) > 1 else "one run"
    each = f" and up to {longest:.1f} a run" if len(recipes) > 1 else ""
    what = (
        f"{runs} of {recipes[0].model} ({shape.parameters / 1e9:.2f} B parameters) on one GPU each: about "
        f"{largest.total:.0f} GiB of its memory ({parts}), {low:.1f} to {high:.1f} hours of an H100{each}; "
        "arithmetic, so measure one run before you trust it"
    )
    yield Problem(label, what, level="note")
    if largest.total > H100.memory:
        remedy = "lower completions_per_pass, set gradient_checkpointing = true or lora, or take a smaller model"
        yield Problem(label, f"that is more than the {H100.memory:.0f} GiB of an H100: {remedy}", level="note")
    if not gpus():
        yield Problem(label, "no GPU is visible on this machine: run it where there is one", level="note")
