"""The nano model: a stock LLaVA of 1.6 M parameters, its tokenizer and processor, and where the checkpoint lies."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from modomodo.data.nano.scenes import CELL, SIZE

if TYPE_CHECKING:
    from transformers import LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

CHECKPOINT = Path(__file__).parent / "checkpoint"
CHECKPOINTS = {"nano": CHECKPOINT, "nano-2": Path(__file__).parent / "checkpoint_2"}
VISION_WIDTH = TEXT_WIDTH = 128
TAGS = ("<think>", "</think>", "<answer>", "</answer>")
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ("<|pad|>", "<|end|>", "<image>", "<|user|>", "<|assistant|>", "<|system|>")


def make_tokenizer(corpus: Iterable[str], *, vocab_size: int = 1024) -> "PreTrainedTokenizerFast":
    """Return a byte-level BPE tokenizer trained on `corpus`; it can write any text, and tags are single tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    # Numbers keep their brackets and commas, so that a box is four tokens.
    chunks = Regex(r" ?[\[\]\d,]+| ?\p{L}+| ?[^\s\p{L}\d\[\],]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(chunks, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_tokens([AddedToken(tag, normalized=False) for tag in TAGS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=list(SPECIAL[2:]),
        extra_special_tokens={"image_token": "<image>"},
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        model_max_length=512,
    )


def make_processor(tokenizer: "PreTrainedTokenizerFast") -> "LlavaProcessor":
    """Return the processor: 64 x 64 pictures as they are, one token per 16 x 16 patch."""
    from transformers import CLIPImageProcessorPil, LlavaProcessor

    image_processor = CLIPImageProcessorPil(
        size={"height": SIZE, "width": SIZE},
        crop_size={"height": SIZE, "width": SIZE},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    return LlavaProcessor(
        image_processor=image_processor,
        tokenizer=tokenizer,
        patch_size=CELL,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def make_model(
    tokenizer: "PreTrainedTokenizerFast", *, width: int = TEXT_WIDTH, layers: int = 4
) -> "LlavaForConditionalGeneration":
    """Return an untrained model; seed torch first."""
    from transformers import LlavaForConditionalGeneration

    config = _config(tokenizer, width, layers)
    model = LlavaForConditionalGeneration(config)
    setattr(config, "modomodo_frame", "pixels")  # noqa: B010 - FRAME_KEY of families.py, which comes after this module
    model.generation_config.eos_token_id = token_id(tokenizer, "<|end|>")
    model.generation_config.pad_token_id = token_id(tokenizer, "<|pad|>")
    return model


def _config(tokenizer: "PreTrainedTokenizerFast", width: int, layers: int) -> "LlavaConfig":
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig

    vision = CLIPVisionConfig(
        hidden_size=VISION_WIDTH,
        intermediate_size=3 * VISION_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=SIZE,
        patch_size=CELL,
        projection_dim=VISION_WIDTH,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=token_id(tokenizer, "<|pad|>"),
        eos_token_id=token_id(tokenizer, "<|end|>"),
        bos_token_id=None,
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=token_id(tokenizer, "<image>"),
        image_seq_length=(SIZE // CELL) ** 2,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
    )


def token_id(tokenizer: "PreTrainedTokenizerFast", token: str) -> int:
    """Return the number of a token."""
    number = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(number, int), token
    return number
