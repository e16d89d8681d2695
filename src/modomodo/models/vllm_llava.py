"""LLaVA in vLLM with the names of weights that transformers writes today; importing this loads vLLM.

transformers 5 dropped the level `vision_model` from the names of a CLIP tower, and vLLM expects it. With this class it
loads the embedded models, the models that runs save, and the weights that a trainer sends, under either name.
"""

import re

from vllm.model_executor.models.llava import LlavaForConditionalGeneration  # pyright: ignore[reportMissingImports]
from vllm.model_executor.models.utils import WeightsMapper  # pyright: ignore[reportMissingImports]

_TOWER = re.compile(r"(?<=vision_tower\.)(?=embeddings\.|encoder\.|pre_layrnorm\.|post_layernorm\.)")  # CLIP's spelling


class Llava(LlavaForConditionalGeneration):
    """vLLM's own, which also takes a tower whose weights are not under `vision_model`."""

    hf_to_vllm_mapper = LlavaForConditionalGeneration.hf_to_vllm_mapper | WeightsMapper(
        orig_to_new_regex={_TOWER: "vision_model."}
    )
