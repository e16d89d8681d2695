"""What the engine verl does not carry out of a recipe: refused before a run starts, in the recipe's own words.

Imports no torch and no verl: `modomodo check` says the same on a machine that has neither.
"""

import re
from collections.abc import Iterator

from modomodo.config.policies import Online
from modomodo.config.recipe import Recipe
from modomodo.data.domain import Problem
from modomodo.training.verl.options import decided_by, share

OPTION = re.compile(r"\+{0,2}[\w-]+(\.[\w-]+)+")
# verl 0.9.1 has position ids and token builders of its own for these families, and our count of a prompt's tokens
# follows their resizing.
FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")


def refusals(recipe: Recipe) -> Iterator[Problem]:
    """Yield what keeps verl from carrying out the recipe: the field, what was found, why, and what to do."""
    yield from _model(recipe)
    yield from _trained(recipe)
    yield from _options(recipe)
    yield from _sizes(recipe)


def _model(recipe: Recipe) -> Iterator[Problem]:
    family = recipe.known_family
    if family is None or family.name not in FAMILIES:
        kind = "" if family is None else f", of family {family.name}"
        what = f"is {recipe.model!r}{kind}, and verl trains only {', '.join(FAMILIES)}: take one, or engine = 'trl'"
        yield Problem("model", what)
    if recipe.revision is not None:
        what = f"is {recipe.revision!r}, but verl loads a hub id's newest: download it, and set model to the folder"
        yield Problem("revision", what)
    limits = (recipe.min_pixels, recipe.max_pixels)
    if family is not None and family.resize is not None and any(limits):
        low, high = family.resize.min_pixels, family.resize.max_pixels
        if (recipe.min_pixels or low) < low or (recipe.max_pixels or high) > high:
            what = (
                f"are {limits[0]} and {limits[1]}, but vLLM resizes with the checkpoint's own limits {low} and "
                f"{high}: choose limits within them"
            )
            yield Problem("min_pixels and max_pixels", what)


def _trained(recipe: Recipe) -> Iterator[Problem]:
    """Yield what verl would train although the recipe says that it is frozen, and what it would not do to adapters."""
    if recipe.lora is None:
        for field, part in (("freeze_vision", "vision tower"), ("freeze_projector", "projector")):
            if getattr(recipe, field):
                what = (
                    f"is true, but verl trains the {part} whatever its own flag says: set {field} = false, or set "
                    "lora, which leaves it alone"
                )
                yield Problem(field, what)
    elif recipe.lora.dropout > 0:
        what = f"is {recipe.lora.dropout}, but verl gives FSDP's adapters no dropout: set it to 0"
        yield Problem("lora.dropout", what)


def _options(recipe: Recipe) -> Iterator[Problem]:
    if isinstance(recipe.mixture, Online):
        what = (
            f"is moved by the rule {recipe.mixture.rule!r}, but verl reads a run's schedule before the first step and "
            "asks for its rows ahead of time: set engine = 'trl', or write weights, or a list of parts with `until`"
        )
        yield Problem("mixture", what)
    vllm, plain = recipe.vllm, type(recipe.vllm)()
    if vllm.mode != "colocate":
        what = f'is {vllm.mode!r}, but verl samples by vLLM on the GPUs that it trains on: set vllm.mode = "colocate"'
        yield Problem("vllm.mode", what)
    for field in ("host", "port"):
        if getattr(vllm, field) != getattr(plain, field):
            what = f"is {getattr(vllm, field)!r}, but verl asks no vLLM server: leave it out"
            yield Problem(f"vllm.{field}", what)
    if recipe.decay == "linear":
        yield Problem("decay", "is 'linear', which verl's FSDP engine lacks: set decay to 'constant' or 'cosine'")
    if recipe.evaluation.at:
        at = ", ".join(map(str, recipe.evaluation.at))
        what = f"names steps {at}, but a run of verl is scored when it ends: leave it out (scored_at in a study)"
        yield Problem("evaluation.at", what)
    yield from _further(recipe)


def _further(recipe: Recipe) -> Iterator[Problem]:
    """Yield the further options of verl that are decided otherwise, or that its configuration would read otherwise."""
    for option, value in recipe.verl.options.items():
        decider = decided_by(option, recipe)
        if decider is not None:
            yield Problem(f"verl.options.{option!r}", f"is decided by {decider}: leave it out")
        elif not OPTION.fullmatch(option):
            what = 'is no option: write its dotted name, such as "trainer.balance_batch", after a + where verl lacks it'
            yield Problem(f"verl.options.{option!r}", what)
        elif "${" in str(value):
            what = f"is {value!r}, and verl's configuration replaces '${{': write the value itself"
            yield Problem(f"verl.options.{option!r}", what)


def _sizes(recipe: Recipe) -> Iterator[Problem]:
    """Yield the numbers that do not go into one another: verl shares every step equally among the GPUs."""
    plan = recipe.verl
    gpus = plan.nodes * plan.gpus_per_node
    completions = recipe.prompts_per_step * recipe.num_generations
    cluster = f"{gpus} GPUs (verl.nodes x verl.gpus_per_node)"
    if completions % gpus:
        yield Problem(
            "prompts_per_step",
            f"x num_generations makes {completions} completions a step, which {cluster} cannot share equally: change "
            "one of the four",
        )
        return
    for field, size, whole, name in (
        ("vllm.tensor_parallel", recipe.vllm.tensor_parallel, plan.gpus_per_node, "verl.gpus_per_node"),
        ("verl.sequence_parallel", plan.sequence_parallel, plan.gpus_per_node, "verl.gpus_per_node"),
        ("completions_per_pass", recipe.completions_per_pass or 1, share(recipe), "the completions of a GPU and step"),
    ):
        if whole % size:
            yield Problem(field, f"is {size}, which does not divide {whole} ({name}): choose one that does")
