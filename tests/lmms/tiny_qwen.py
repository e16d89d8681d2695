"""Checkpoints of the Qwen families that give one reply to everything, made on the spot without training."""

from itertools import pairwise
from pathlib import Path

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
# The last token of every prompt is the line break after `assistant`; from there each token has one successor. The empty
# line is where a reply would be cut by default.
CHAIN = ("\u010a", "<think>", "\n\n", "</think>", "\u0120", "<answer>", "1", "2", "</answer>", "<|im_end|>")
REPLY = "<think>\n\n</think> <answer>12</answer>"
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CLASSES = {"qwen2_vl": "Qwen2VL", "qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 4096,
    "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0},
    "tie_word_embeddings": False,
}
VISION = {
    "qwen2_vl": {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2, "patch_size": 14},
    "qwen2_5_vl": {"hidden_size": 32, "out_hidden_size": 32, "patch_size": 14, "fullatt_block_indexes": [1]},
    "qwen3_vl": {"hidden_size": 32, "out_hidden_size": 32, "patch_size": 16, "deepstack_visual_indexes": [0]},
}


def save(folder: Path, family: str = "qwen2_vl") -> Path:
    """Write a model of `family` (a model_type) that replies REPLY, and its processor; return the folder."""
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = _tokenizer()
    number = tokenizer.convert_tokens_to_ids
    name = CLASSES[family]
    config = getattr(transformers, f"{name}Config")(
        text_config={**SIZES, "vocab_size": len(tokenizer), "bos_token_id": number("<|endoftext|>")},
        vision_config={**VISION[family], "depth": 2, "num_heads": 2, "intermediate_size": 64},
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        tie_word_embeddings=False,
    )
    model = getattr(transformers, f"{name}ForConditionalGeneration")(config)
    _chain(model, [number(token) for token in CHAIN])
    model.generation_config.eos_token_id = number("<|im_end|>")
    model.generation_config.pad_token_id = number("<|endoftext|>")
    model.save_pretrained(folder)
    patch = VISION[family]["patch_size"]
    video = transformers.Qwen3VLVideoProcessor if family == "qwen3_vl" else transformers.Qwen2VLVideoProcessor
    getattr(transformers, f"{name}Processor")(
        image_processor=transformers.Qwen2VLImageProcessor(patch_size=patch),
        tokenizer=tokenizer,
        video_processor=video(patch_size=patch),
        chat_template=TEMPLATE,
    ).save_pretrained(folder)
    return folder


def _tokenizer():
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import Qwen2TokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in CHAIN[1:-1] if len(token) > 1])
    return Qwen2TokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=list(SPECIAL[1:]),
        chat_template=TEMPLATE,
    )


def _chain(model, tokens: list[int]) -> None:
    """Make each token's successor in `tokens` the only likely one, whatever stands before it."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "visual" not in name and ("o_proj" in name or "down_proj" in name):
                weight.zero_()  # the layers add nothing to the embedding
        embeddings = model.get_input_embeddings().weight.zero_()
        head = model.get_output_embeddings().weight.zero_()
        embeddings[:, -1] = 1.0
        for place, (token, successor) in enumerate(pairwise(tokens)):
            embeddings[token] = 0.0
            embeddings[token, place] = 1.0
            head[successor, place] = 5.0
