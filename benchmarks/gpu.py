# pyright: basic, reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""Our engine against a bare GRPOTrainer script (bare_grpo.py) on a GPU: tokens a second and peak memory.

    python benchmarks/gpu.py [--steps 20] [--rounds 3] [--size 2b] [--vllm off]
    python benchmarks/gpu.py --engine verl    # runs of verl instead: gpu_verl.py

The paper's recipe on a model of Qwen2-VL-2B's shape and made-up rows; docs/gpu.md says what is measured. `--size tiny`
tries the script out on a CPU. Each training is a process of its own, and each round runs both, in turns first.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from PIL import Image, ImageDraw
from scipy import stats

from modomodo import Recipe
from modomodo.core import read_toml
from modomodo.data import ANSWERS, FORM
from modomodo.runs import make_schedule
from modomodo.study import Estimate, estimate, shape_of

HERE = Path(__file__).parent
PAPER = HERE.parent / "recipes/paper/recipe.toml"
RESULTS = HERE / "results/gpu.csv"
GIB = 2**30
WARM = 3  # first steps that are not counted
CHILD = "import sys; from gpu import child; child(*sys.argv[1:])"

PICTURES = ((640, 640), (640, 480), (480, 640), (640, 360))  # width, height in pixels
COLOURS = ("red", "green", "blue", "orange", "purple")
QUESTIONS = {
    "colours": "Which colour do the boxes of this image have?",
    "counting": "How many boxes does this image have?",
    "places": "Where is the box of this image that was drawn last and lies on top of the others?",
}
SOURCES = {
    "colours": {"verifier": "choice", "options": "options"},
    "counting": {"verifier": "count"},
    "places": {"verifier": "box"},
}

SPECIAL = {name: f"<|{name}|>" for name in ("vision_start", "vision_end", "image_pad", "video_pad")}
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True)
class Size:
    """A shape of Qwen2-VL, the most pixels that its processor leaves of an image, and the tokens of a reply."""

    text: dict[str, object]
    vision: dict[str, object]
    pixels: int
    reply: int


def _text(width: int, inner: int, layers: int, heads: int, vocabulary: int, sections: list[int]) -> dict[str, object]:
    return {
        "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": 2, "vocab_size": vocabulary, "max_position_embeddings": 32_768, "bos_token_id": None,
        "rope_parameters": {"rope_type": "default", "mrope_section": sections, "rope_theta": 1e6},
    }  # fmt: skip


def _vision(width: int, depth: int, heads: int, to: int) -> dict[str, object]:
    return {"depth": depth, "embed_dim": width, "hidden_size": to, "num_heads": heads, "mlp_ratio": 4, "patch_size": 14}


SIZES = {
    "2b": Size(_text(1536, 8960, 28, 12, 151_936, [16, 24, 24]), _vision(1280, 32, 16, 1536), 16_384 * 28 * 28, 512),
    "tiny": Size(_text(64, 96, 2, 4, 2048, [2, 3, 3]), _vision(32, 2, 2, 64), 16 * 28 * 28, 16),
}


def write_rows(folder: Path, count: int) -> None:
    """Write `count` rows a domain, each with an image of its own."""
    rng = np.random.default_rng(0)
    for name in SOURCES:
        lines = [{"image": f"{name}-{k}.jpg", **_drawn(rng, name, k, folder / f"{name}-{k}.jpg")} for k in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _drawn(rng: np.random.Generator, name: str, index: int, file: Path) -> dict[str, object]:
    """Draw an image, and return its question and answer."""
    width, height = PICTURES[index % len(PICTURES)]
    colour, boxes, box = int(rng.integers(len(COLOURS))), int(rng.integers(1, 7)), []
    picture = Image.new("RGB", (width, height), "white")
    for _ in range(boxes):
        x, y = (int(rng.integers(side // 2)) for side in (width, height))
        box = [x, y, x + width // 3, y + height // 3]
        ImageDraw.Draw(picture).rectangle(box, fill=COLOURS[colour], outline="black")
    picture.save(file)
    answer = {"colours": "ABCDE"[colour], "counting": boxes, "places": box}[name]
    return {"question": QUESTIONS[name], "options": list(COLOURS), "answer": answer}


def write_model(folder: Path, size: Size) -> None:
    """Write a model of random weights in bfloat16, with a tokenizer and a processor made on the spot."""
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = _tokenizer()
    ids = {
        f"{name.removesuffix('_pad')}_token_id": tokenizer.convert_tokens_to_ids(token)
        for name, token in SPECIAL.items()
    }
    config = transformers.Qwen2VLConfig(
        text_config=size.text, vision_config=size.vision, tie_word_embeddings=True, **ids
    )
    model = transformers.AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    for one in (model.generation_config, model.config.get_text_config()):
        one.eos_token_id, one.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    _never_sample(model, [tokenizer.eos_token_id, tokenizer.pad_token_id, *ids.values()])
    limits = {"size": {"shortest_edge": 4 * 28 * 28, "longest_edge": size.pixels}}
    if _torchvision():
        pictures, videos = transformers.Qwen2VLImageProcessor(**limits), transformers.Qwen2VLVideoProcessor()
    else:
        pictures, videos = transformers.Qwen2VLImageProcessorPil(**limits), _without_torchvision()()
    model.save_pretrained(folder)
    transformers.Qwen2VLProcessor(pictures, tokenizer, videos, chat_template=TEMPLATE).save_pretrained(folder)


def _never_sample(model, ids: list[int]) -> None:
    """Make the logits of some tokens -30: a reply that ended would be less work, and one with images cannot be read.

    Attention weights add up to 1, so a bias on the last layer's values adds one direction to every hidden state, large
    enough here to be most of it; the rows of these tokens point the other way.
    """
    import torch

    text = model.model.language_model
    attention = text.layers[-1].self_attn
    with torch.no_grad():
        torch.nn.init.normal_(attention.v_proj.bias, std=10.0)
        values = attention.v_proj.bias.view(-1, 1, attention.head_dim)
        constant = attention.o_proj(values.expand(-1, attention.num_key_value_groups, -1).reshape(-1))
        text.embed_tokens.weight[ids] = -30 * constant / constant.norm() / len(constant) ** 0.5


def _tokenizer():
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|im_start|>", "<|im_end|>", *SPECIAL.values()]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([FORM, *ANSWERS.values(), *QUESTIONS.values(), *COLOURS], trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|im_end|>",
        additional_special_tokens=special[1:],
        padding_side="left",
    )


def _torchvision() -> bool:
    from transformers.utils import is_torchvision_available

    return is_torchvision_available()


def _without_torchvision():
    """Return what stands where transformers wants a video processor, and let processors be loaded with it."""
    from transformers import processing_utils
    from transformers.models.auto.video_processing_auto import AutoVideoProcessor
    from transformers.video_processing_utils import VideoProcessorMixin

    class NoVideos(VideoProcessorMixin):
        merge_size = temporal_patch_size = 2
        num_frames = fps = 1

    processing_utils.transformers_module.VideoProcessorMixin = VideoProcessorMixin
    AutoVideoProcessor.from_pretrained = staticmethod(lambda *_, **__: NoVideos())
    return NoVideos


def make_recipe(folder: Path, size: Size, *, steps: int, vllm: str) -> Recipe:
    """Return the paper's recipe on the rows and the model in `folder`, cut to so many steps."""
    left_out = {"prepared", "evaluation", *({"vllm"} if vllm == "off" else ())}
    table = {key: value for key, value in read_toml(PAPER).items() if key not in left_out}
    changes = {
        "model": str(folder / "model"),
        "domains": list(SOURCES),
        "data": {name: {"path": folder / f"{name}.jsonl", **source} for name, source in SOURCES.items()},
        "steps": steps,
        "max_completion_length": size.reply,
        "save_every": 10**6,
    }
    return Recipe.model_validate({**table, **changes})


def child(kind: str, *where: str) -> None:
    """Do one part in a process of its own: `model FOLDER SIZE`, or `ours` or `bare` with RECIPE FOLDER."""
    import torch

    if not _torchvision():
        _without_torchvision()
    if kind == "model":
        if where[1] != "tiny" and not torch.cuda.is_available():
            raise SystemExit("no GPU is found here: --size tiny tries the script out on a CPU")
        write_model(Path(where[0]), SIZES[where[1]])
        return
    recipe_file, folder = Path(where[0]), Path(where[1])
    if kind == "bare":
        import bare_grpo

        bare_grpo.main(recipe_file, folder)
    else:
        _ours(Recipe.model_validate_json(recipe_file.read_text()), folder)
    (folder / "machine.json").write_text(json.dumps(_machine()))


def _ours(recipe: Recipe, folder: Path) -> None:
    """Train with our engine; writes what bare_grpo.py writes."""
    from modomodo.training import train

    train(recipe, make_schedule(recipe), folder=folder)
    for file, log, key in (("seconds", "steps", "seconds"), ("tokens", "trainer", "num_tokens")):
        lines = [json.loads(line) for line in (folder / f"{log}.jsonl").read_text().splitlines()]
        (folder / f"{file}.json").write_text(json.dumps([line.get(key) for line in lines][: recipe.steps]))


def _machine() -> dict[str, object]:
    """Return the card, what this process held of it at most, and the versions of what it ran."""
    import torch
    import transformers
    import trl

    cuda = torch.cuda.is_available()
    return {
        "allocated_gib": round(torch.cuda.max_memory_allocated() / GIB, 2) if cuda else None,
        "reserved_gib": round(torch.cuda.max_memory_reserved() / GIB, 2) if cuda else None,
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "trl": trl.__version__,
    }


def start(*arguments: str, log: Path) -> None:
    """Run `child` in a fresh process; what it says goes to `log`, whose end is shown when it fails."""
    defaults = {
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_VISIBLE_DEVICES": "0",  # the trainer would spread over all that it sees
    }
    environment = {**defaults, **os.environ, "HF_HUB_OFFLINE": "1"}
    with log.open("w") as file:
        program = [sys.executable, "-c", CHILD, *arguments]
        done = subprocess.run(program, cwd=HERE, env=environment, stdout=file, stderr=file)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{log.read_text()[-3000:]}")


def measure(kind: str, recipe: Recipe) -> dict[str, object]:
    """Return tokens (of prompts and replies) and seconds of the steps after the first three, and what was held."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "recipe.json").write_text(recipe.model_dump_json())
        start(kind, str(folder / "recipe.json"), name, log=folder / "log.txt")
        read = {what: json.loads((folder / f"{what}.json").read_text()) for what in ("seconds", "tokens", "machine")}
    seconds, tokens = sum(read["seconds"][WARM:]), read["tokens"][-1] - read["tokens"][WARM - 1]
    counted = {"engine": kind, "steps": len(read["seconds"]) - WARM, "tokens": int(tokens)}
    timed = {"seconds": round(seconds, 3), "tokens_per_second": round(tokens / seconds, 1)}
    return {**counted, **timed, **read["machine"]}


def speed(table: pd.DataFrame) -> str:
    """Return the ratio of the rounds' tokens a second, with its interval where there are two rounds."""
    rates = table.pivot(index="round", columns="engine", values="tokens_per_second")
    logs = np.log(rates["ours"] / rates["bare"])
    text = f"tokens a second, ours / bare: {np.exp(logs.mean()):.3f}"
    if len(logs) > 1:
        half = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
        text += f" (95 % interval {np.exp(logs.mean() - half):.3f} to {np.exp(logs.mean() + half):.3f})"
    if table.tokens.nunique() > 1:
        text += f"; NOT the same work: tokens are {sorted(table.tokens.unique())}"
    return f"{text}; at least 0.98 is asked"


def memory(table: pd.DataFrame, recipe: Recipe) -> str:
    """Return the peak of each engine, and the estimate that `modomodo check` prints, with its parts."""
    found = _estimate(recipe)
    parts = ", ".join(f"{name} {size:.2f}" for name, size in found.memory.items())
    lines = [f"estimate: {found.total:.2f} GiB ({parts})"]
    for name, of_one in table.dropna(subset="allocated_gib").groupby("engine"):
        peak = of_one[["allocated_gib", "reserved_gib"]].max()
        share = peak.reserved_gib / found.total
        lines.append(
            f"{name}: {peak.allocated_gib:.2f} GiB allocated, {peak.reserved_gib:.2f} reserved, {share:.2f} of it"
        )
    return "\n".join(lines)


def _estimate(recipe: Recipe) -> Estimate:
    shape = shape_of(recipe)
    assert shape is not None
    return estimate(recipe, shape)


def main(
    steps: int = 20, rounds: int = 3, size: str = "2b", vllm: str = "off", out: Path | None = None, engine: str = "trl"
) -> None:
    """Print a table of the rounds, the ratio and the memory; the table is kept in `out` (2b: results/gpu.csv).

    `engine` "verl" proves that engine's runs instead (gpu_verl.py).
    """
    if engine == "verl":
        import gpu_verl

        gpu_verl.main(size)
        return
    if size not in SIZES or vllm not in ("off", "colocate") or steps <= WARM:
        raise SystemExit(f"--size is one of {', '.join(SIZES)}, --vllm off or colocate, and --steps more than {WARM}")
    out = out or (RESULTS if size == "2b" else None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start("model", str(folder / "model"), size, log=folder / "log.txt")
        recipe = make_recipe(folder, SIZES[size], steps=steps, vllm=vllm)
        write_rows(folder, steps * recipe.prompts_per_step)
        estimated = {"estimated_gib": round(_estimate(recipe).total, 2)}
        table: list[dict[str, object]] = []
        for number in range(1, rounds + 1):
            for kind in ("bare", "ours") if number % 2 else ("ours", "bare"):
                table.append({"size": size, "vllm": vllm, "round": number, **measure(kind, recipe), **estimated})
                print(f"round {number}, {kind}: {table[-1]['tokens_per_second']} tokens a second", flush=True)
                if out is not None:
                    pd.DataFrame(table).to_csv(out, index=False)
        print(pd.DataFrame(table).to_string(index=False))
        print(speed(pd.DataFrame(table)), memory(pd.DataFrame(table), recipe), sep="\n")


if __name__ == "__main__":
    typer.run(main)
