"""Tiny random checkpoints of every family, made on the spot: the real classes of transformers at toy widths."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers.video_processing_utils import VideoProcessorMixin

WORDS = [
    "what colour is the ball",
    "left of the red box [12, 3, 40, 55]",
    "<think>so it is 7</think><answer>7</answer>",
]
WIDTH = 32
TEXT = {
    "hidden_size": WIDTH,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
VISION = {"hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class NoVideos(VideoProcessorMixin):
    """Stands where transformers wants a video processor, which needs torchvision; no row has a video."""

    merge_size = temporal_patch_size = 2
    num_frames = fps = 1

    @classmethod
    def from_pretrained(cls, *_: object, **__: object) -> "NoVideos":
        return cls()


def without_torchvision(patch: pytest.MonkeyPatch) -> None:
    """Let processors that have one for videos be built and loaded where torchvision is not installed."""
    from transformers import processing_utils
    from transformers.models.auto.video_processing_auto import AutoVideoProcessor

    patch.setattr(processing_utils.transformers_module, "VideoProcessorMixin", VideoProcessorMixin, raising=False)
    patch.setattr(AutoVideoProcessor, "from_pretrained", NoVideos.from_pretrained)


def make(family: str, folder: Path) -> Path:
    """Write an untrained model of the family with its tokenizer and processor to `folder`; returns it."""
    torch.manual_seed(0)
    model, processor = FAMILIES[family]()
    for config in (model.generation_config, model.config.get_text_config()):
        config.eos_token_id = processor.tokenizer.eos_token_id
        config.pad_token_id = processor.tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def make_tokenizer(special: Sequence[str], names: dict[str, str]) -> transformers.PreTrainedTokenizerFast:
    """Return a byte-level tokenizer with `special` tokens, those of `names` under their names."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    every = ["<|pad|>", "<|im_start|>", "<|im_end|>", *special, *names.values()]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + len(every) + 60, special_tokens=every, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(WORDS * 5, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>", *special],
        extra_special_tokens=names,
        padding_side="left",
    )


def qwen(kind: str, patch: int, *, width: int = WIDTH, videos: Any = None) -> tuple[Any, Any]:
    """Return a model of one of the Qwen families, and its processor with what stands for videos."""
    tokenizer = make_tokenizer(["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"], {})
    ids = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(token)
        for name, token in {
            "image": "<|image_pad|>",
            "video": "<|video_pad|>",
            "vision_start": "<|vision_start|>",
            "vision_end": "<|vision_end|>",
        }.items()
    }
    rope = {
        "rope_type": "default",
        "mrope_section": [width // 16, 3 * width // 32, 3 * width // 32],
        "rope_theta": 10000.0,
    }
    text = {**TEXT, "hidden_size": width, "head_dim": width // 2, "vocab_size": len(tokenizer), "bos_token_id": None}
    config = getattr(transformers, f"{kind}Config")(
        text_config={**text, "rope_parameters": rope},
        vision_config=_qwen_tower(kind, patch, width),
        tie_word_embeddings=True,
        **ids,
    )
    model = getattr(transformers, f"{kind}ForConditionalGeneration")(config)
    image_processor = transformers.Qwen2VLImageProcessorPil(
        patch_size=patch, size={"shortest_edge": 4 * patch * patch, "longest_edge": 64 * patch * patch}
    )
    template = TEMPLATE.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    processor = getattr(transformers, f"{kind}Processor")(
        image_processor, tokenizer, videos or NoVideos(), chat_template=template
    )
    return model, processor


def _qwen_tower(kind: str, patch: int, width: int) -> dict[str, Any]:
    sides = {"in_channels": 3, "in_chans": 3, "patch_size": patch, "depth": 2, "num_heads": 2}
    return {
        "Qwen2VL": {**sides, "embed_dim": width, "hidden_size": width, "mlp_ratio": 2},
        "Qwen2_5_VL": {
            **sides,
            "hidden_size": width,
            "intermediate_size": 48,
            "out_hidden_size": width,
            "fullatt_block_indexes": [1],
            "window_size": 4 * patch,
        },
        "Qwen3VL": {
            **sides,
            "hidden_size": width,
            "intermediate_size": 48,
            "out_hidden_size": width,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
    }[kind]


def _idefics(kind: str) -> tuple[Any, Any]:
    tiles = [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]
    tokenizer = make_tokenizer(
        ["<end_of_utterance>", *tiles],
        {
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
            "video_token": "<video>",
        },
    )
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = getattr(transformers, f"{kind}Config")(
        text_config={"model_type": "llama", **TEXT, "vocab_size": len(tokenizer), "bos_token_id": None},
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        image_token_id=image,
        scale_factor=2,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = getattr(transformers, f"{kind}ForConditionalGeneration")(config)
    image_processor = getattr(transformers, f"{kind}ImageProcessorPil")(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    videos = [NoVideos()] if kind == "SmolVLM" else []
    processor = getattr(transformers, f"{kind}Processor")(
        image_processor, tokenizer, *videos, image_seq_len=4, chat_template=TEMPLATE.replace("IMAGE", "<image>")
    )
    return model, processor


def _internvl() -> tuple[Any, Any]:
    tokenizer = make_tokenizer(
        [],
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    )
    text = {"model_type": "qwen2", **TEXT, "vocab_size": len(tokenizer), "bos_token_id": None}
    config = transformers.InternVLConfig(
        text_config=text,
        vision_config={**VISION, "image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=True,
    )
    model = transformers.InternVLForConditionalGeneration(config)
    image_processor = transformers.GotOcr2ImageProcessorPil(
        size={"height": 32, "width": 32}, crop_to_patches=True, max_patches=4
    )
    template = TEMPLATE.replace("IMAGE", "<IMG_CONTEXT>\n")
    processor = transformers.InternVLProcessor(
        image_processor, tokenizer, NoVideos(), image_seq_length=4, chat_template=template
    )
    return model, processor


def _llava() -> tuple[Any, Any]:
    tokenizer = make_tokenizer([], {"image_token": "<image>"})
    config = transformers.LlavaConfig(
        text_config={"model_type": "llama", **TEXT, "vocab_size": len(tokenizer), "bos_token_id": None},
        vision_config={"model_type": "clip_vision_model", **VISION, "image_size": 32, "patch_size": 8},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
        tie_word_embeddings=True,
    )
    model = transformers.LlavaForConditionalGeneration(config)
    image_processor = transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    processor = transformers.LlavaProcessor(
        image_processor,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE.replace("IMAGE", "<image>\n"),
    )
    return model, processor


def _gemma3() -> tuple[Any, Any]:
    tokenizer = make_tokenizer(
        [], {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    )
    ids = {
        f"{name}_token_index": tokenizer.convert_tokens_to_ids(token)
        for name, token in {
            "boi": "<start_of_image>",
            "eoi": "<end_of_image>",
            "image": "<image_soft_token>",
        }.items()
    }
    config = transformers.Gemma3Config(
        text_config={
            **TEXT,
            "vocab_size": len(tokenizer),
            "bos_token_id": None,
            "head_dim": WIDTH // 2,
            "sliding_window": 64,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config={**VISION, "image_size": 32, "patch_size": 8},
        mm_tokens_per_image=4,
        **ids,
    )
    model = transformers.Gemma3ForConditionalGeneration(config)
    image_processor = transformers.Gemma3ImageProcessorPil(size={"height": 32, "width": 32})
    processor = transformers.Gemma3Processor(
        image_processor, tokenizer, image_seq_length=4, chat_template=TEMPLATE.replace("IMAGE", "<start_of_image>")
    )
    return model, processor


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "qwen2_vl": lambda: qwen("Qwen2VL", 14),
    "qwen2_5_vl": lambda: qwen("Qwen2_5_VL", 14),
    "qwen3_vl": lambda: qwen("Qwen3VL", 16),
    "smolvlm": lambda: _idefics("SmolVLM"),
    "idefics3": lambda: _idefics("Idefics3"),
    "internvl": _internvl,
    "llava": _llava,
    "gemma3": _gemma3,
}
