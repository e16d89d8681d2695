"""What an engine does not carry out, and what is said where it is not installed. Imports neither engine."""

from collections.abc import Iterator

from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.packages import is_installed
from modomodo.data.domain import Problem
from modomodo.training.verl import limits

VLLM_OF_VERL = "pip install 'verl[vllm]==0.9.1', in an environment without trl (docs/verl.md)"
LEAST_TEMPERATURE = 0.01  # of vLLM, which samples at it where less is asked for


def check_engine_takes(recipe: Recipe) -> None:
    """Raise ModomodoError with all that keeps the recipe's engine from carrying it out."""
    problems = [f"{problem.where} {problem.what}" for problem in refusals(recipe)]
    if problems:
        raise ModomodoError(f"engine {recipe.engine}: " + "\n".join(problems))


def refusals(recipe: Recipe) -> Iterator[Problem]:
    """Yield what keeps the recipe's engine, or vLLM beside it, from carrying it out, and what to do."""
    if recipe.steps and recipe.engine == "verl":
        yield from limits.refusals(recipe)
    elif recipe.verl.options and recipe.engine == "trl":
        yield Problem("verl.options", "is for the engine verl: leave it out, or set engine = 'verl'")
    samples = recipe.vllm.mode if recipe.steps else "off"
    scores = recipe.evaluation.engine == "vllm" and bool(recipe.evaluation.benchmarks)
    if recipe.engine == "trl" and recipe.vllm.tensor_parallel > 1 and (samples == "colocate" or scores):
        what = f"is {recipe.vllm.tensor_parallel}, but a run of the engine trl has one GPU: set it to 1"
        yield Problem("vllm.tensor_parallel", what)
    draws = samples != "off" or (scores and recipe.evaluation.samples is not None)
    if draws and recipe.temperature < LEAST_TEMPERATURE:
        what = f"is {recipe.temperature}, and vLLM samples at {LEAST_TEMPERATURE} at least: raise it"
        yield Problem("temperature", what)


def check_trl_installed() -> None:
    """Raise ModomodoError where TRL is not installed."""
    if not is_installed("trl"):
        raise ModomodoError(
            "engine is 'trl', which is not installed here: pip install '.[trl,data,verify]' in an environment without "
            "verl, or set engine = 'verl'"
        )


def check_verl_installed() -> None:
    """Raise ModomodoError where verl is not installed."""
    if not is_installed("verl"):
        raise ModomodoError(
            "engine is 'verl', which is not installed here, and has an environment of its own: with GPUs pip install "
            "'.[verl]' 'verl[vllm]==0.9.1' (docs/verl.md), without them make verl-env and .venv-verl/bin/modomodo"
        )
