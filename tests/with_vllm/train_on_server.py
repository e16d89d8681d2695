"""A run whose completions a vLLM server samples, on a CPU; then greedy replies of the server and of the saved model.

python train_on_server.py FOLDER PORT REPLIES.json
"""

import json
import sys
from pathlib import Path

import communicator
import trl.trainer.grpo_trainer
from recipes import recipe

from modomodo.config.recipe import Recipe
from modomodo.data.registry import DOMAINS
from modomodo.evaluation.generate import generate
from modomodo.models.load import load_model, load_processor
from modomodo.models.names import model_path
from modomodo.runs.run import run_recipe
from modomodo.training import trl as ours

kept = []


class Generation(trl.trainer.grpo_trainer.VLLMGeneration):
    """TRL's own, kept: TRL sends weights before it samples, so those of the last step are still to be sent."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        kept.append(self)


def main(folder: Path, port: int, replies: Path) -> None:
    communicator.trainer()
    ours.check_vllm = lambda vllm: None  # it says, rightly, that TRL needs a GPU
    trl.trainer.grpo_trainer.VLLMGeneration = Generation
    one = recipe("vllm.mode=server", f"vllm.port={port}")
    run_recipe(one, folder)
    replies.write_text(json.dumps(greedy(one, folder / "model", kept[0]), indent=1))


def greedy(one: Recipe, model: Path, server: Generation) -> list[dict[str, object]]:
    """Return a line for each of a few rows: of the model that was `begun` with and `saved`, and `after` sending."""
    processor = load_processor(str(model))
    domain = DOMAINS[one.domains[0]]
    rows = list(domain.load("train"))[:12]
    begun, saved = (
        generate(
            load_model(name, precision="float32", freeze_vision=False),
            processor,
            domain,
            rows,
            view=one.view,
            max_new_tokens=one.max_completion_length,
        )
        for name in (model_path(one.model), str(model))
    )
    server.sync_weights()
    # vLLM keeps what its projector made of an image, also when the weights are new, until it is told; TRL does not.
    server.vllm_client.session.post(f"{server.vllm_client.base_url}/reset_encoder_cache").raise_for_status()
    after = asked(server, processor, domain, rows, one)
    lines = zip(begun, saved, after, strict=True)
    return [dict(zip(("begun", "saved", "after"), line, strict=True)) for line in lines]


def asked(server: Generation, processor, domain, rows, one: Recipe) -> list[str]:
    """Return the server's greedy replies, by the path on which TRL samples."""
    from modomodo.core.rows import open_image
    from modomodo.models.chat_template import render

    server.temperature = 0.0
    images = [[open_image(image) for image in row.images] for row in rows]
    texts = [render(processor, domain.prompt(row, one.view)) for row in rows]
    prompts = [processor(text=[text], images=shown)["input_ids"][0] for text, shown in zip(texts, images, strict=True)]
    _, tokens, _, _ = server.generate(prompts=prompts, images=images, num_generations=1)
    return processor.batch_decode(tokens, skip_special_tokens=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
