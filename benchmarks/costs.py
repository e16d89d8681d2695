"""What a study of 64 pilots of a 7 B model costs, by the arithmetic of `modomodo check`: nothing here was measured.

python benchmarks/costs.py
"""

import math
from pathlib import Path

from modomodo.config import Recipe
from modomodo.estimate import GIB, Estimate, Shape, estimate
from modomodo.recipes import load_recipe

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"
SEVEN = Shape(8_292_166_656, 676_550_144, 28, 3584, 152_064)  # counted on its configuration
LORA = Path(__file__).parents[1] / "recipes/modern/lora.toml"
STAGES = {"pilots": 64, "the model as it is": 1, "confirmation, 8 seeds": 17, "the answer, four times as long": 4}
"""Runs of each stage, in pilots: confirmation has two mixtures and the model as it is."""
GPUS = (4, 8, 24, 32, 64, 128)
PRICES = (2, 4)  # dollars for an hour of an H100


def recipes() -> dict[str, Recipe]:
    """Return the pilot with adapters, as it would be run, and with all weights, for its memory."""
    lora = load_recipe(LORA, [f"model={MODEL}"])
    return {"adapters": lora, "all weights": lora.model_copy(update={"lora": None, "learning_rate": 1e-6})}


def memory(found: dict[str, Estimate]) -> list[str]:
    """Return a table of GiB by what takes them."""
    names = list(dict.fromkeys(name for one in found.values() for name in one.memory))
    lines = [f"| {name} | {' | '.join(f'{one.memory.get(name, 0):.0f}' for one in found.values())} |" for name in names]
    total = f"| **GiB in all** | {' | '.join(f'**{one.total:.0f}**' for one in found.values())} |"
    return [f"| | {' | '.join(found)} |", "|---|" + "---|" * len(found), *lines, total]


def hours(pilot: Estimate) -> list[str]:
    """Return a table of the stages: runs, hours of a GPU, and dollars, from replies of half the length to all of it."""
    low, high = pilot.hours
    lines = ["| stage | pilots' worth | GPU-hours | " + " | ".join(f"at ${price}" for price in PRICES) + " |"]
    lines.append("|---|---|---|" + "---|" * len(PRICES))
    for name, runs in {**STAGES, "**in all**": sum(STAGES.values())}.items():
        money = [f"${runs * low * price:,.0f} to {runs * high * price:,.0f}" for price in PRICES]
        lines.append(f"| {name} | {runs} | {runs * low:,.0f} to {runs * high:,.0f} | {' | '.join(money)} |")
    return lines


def waves(pilot: Estimate) -> list[str]:
    """Return a table of the days that the pilots take on so many GPUs, one run each."""
    runs, (low, high) = STAGES["pilots"], pilot.hours
    lines = ["| GPUs | waves | hours | idle in the last wave |", "|---|---|---|---|"]
    for gpus in GPUS:
        count = math.ceil(runs / gpus)
        idle = 1 - runs / (count * gpus)
        lines.append(f"| {gpus} | {count} | {count * low:.0f} to {count * high:.0f} | {idle * count:.0%} of the GPUs |")
    return lines


def storage() -> str:
    """Return what the runs leave on the storage."""
    model, runs = 4 * SEVEN.parameters / GIB, STAGES["pilots"]
    return f"A finished run keeps its model in float32, {model:.0f} GiB: {runs * model / 1024:.1f} TiB for all pilots."


def main() -> None:
    """Print the tables of docs/costs.md."""
    chosen = recipes()
    found = {name: estimate(recipe, SEVEN) for name, recipe in chosen.items()}
    pilot = found["adapters"]
    parts = [memory(found), hours(pilot), waves(pilot), [storage()]]
    print("\n\n".join("\n".join(part) for part in parts))


if __name__ == "__main__":
    main()
