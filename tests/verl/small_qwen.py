"""A small Qwen2-VL that talks as the embedded model does, since verl takes no LLaVA; made on the spot in minutes.

Its language model starts as the embedded model's; its vision tower starts from nothing and hardly learns to see. What
RL can find in it is the form of a reply and the questions that need no look. A picture is 64 patches, and 16 tokens.

python tests/verl/small_qwen.py FOLDER    # makes it
"""

import sys
from pathlib import Path

STEPS, BATCH, RATE = 240, 32, 1e-3
SIDE = 112  # pixels, of 64: one token for each of the scene's cells
FAMILIES = ("spatial", "science", "geometry")
END_OF_TURN = "<|im_end|>"  # verl wants it in the tokenizer of a Qwen, whatever ends its turns


def save(folder: Path, steps: int = STEPS) -> Path:
    """Write the model and its processor; return the folder."""
    import torch
    from tokenizers import AddedToken
    from transformers import AutoTokenizer, LlavaForConditionalGeneration

    from modomodo.models.nano.model import CHECKPOINT

    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
    tokenizer.add_tokens([AddedToken(END_OF_TURN, special=True, normalized=False)])
    embedded = LlavaForConditionalGeneration.from_pretrained(CHECKPOINT, dtype=torch.float32)
    processor = _processor(tokenizer)
    model = _model(embedded)
    _practise(model, processor, steps)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _processor(tokenizer):
    import transformers

    size = {"shortest_edge": SIDE * SIDE, "longest_edge": SIDE * SIDE}
    return transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen2VLVideoProcessor(),
        chat_template=tokenizer.chat_template,
    )


def _model(embedded):
    """Return an untrained Qwen2-VL around the language model of the embedded one."""
    import transformers

    text, width = embedded.config.text_config, embedded.config.text_config.hidden_size
    heads = text.num_attention_heads
    unused = [text.vocab_size + place for place in (1, 2, 3)]  # of videos and of where images start and end
    config = transformers.Qwen2VLConfig(
        text_config={
            "hidden_size": width,
            "intermediate_size": text.intermediate_size,
            "num_hidden_layers": text.num_hidden_layers,
            "num_attention_heads": heads,
            "num_key_value_heads": text.num_key_value_heads,
            "vocab_size": text.vocab_size + 1 + len(unused),
            "max_position_embeddings": 1024,
            "rms_norm_eps": text.rms_norm_eps,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [width // heads // 2 - 8, 4, 4],
                "rope_theta": text.rope_parameters["rope_theta"],
            },
            "tie_word_embeddings": True,
            "bos_token_id": None,
            "eos_token_id": text.eos_token_id,
            "pad_token_id": text.pad_token_id,
        },
        vision_config={"embed_dim": 64, "hidden_size": width, "depth": 2, "num_heads": 2, "mlp_ratio": 2},
        image_token_id=embedded.config.image_token_index,
        video_token_id=unused[0],
        vision_start_token_id=unused[1],
        vision_end_token_id=unused[2],
        tie_word_embeddings=True,
    )
    model = transformers.Qwen2VLForConditionalGeneration(config)
    state = embedded.model.language_model.state_dict()
    state["embed_tokens.weight"] = model.get_input_embeddings().weight.detach().clone()
    state["embed_tokens.weight"][: text.vocab_size] = embedded.get_input_embeddings().weight.detach()
    lost = model.model.language_model.load_state_dict(state, strict=False)
    assert not lost.unexpected_keys, lost
    assert all(name.endswith("bias") for name in lost.missing_keys), lost
    for name, weight in model.model.language_model.named_parameters():
        if name.endswith("_proj.bias"):
            weight.data.zero_()  # a Llama has none
    model.generation_config.eos_token_id = text.eos_token_id
    model.generation_config.pad_token_id = text.pad_token_id
    return model


def _practise(model, processor, steps: int) -> None:
    """Imitate the embedded model's habits on the families' own training questions."""
    import torch
    from PIL import Image

    from modomodo.core.seeds import child_rng
    from modomodo.models.nano.habits import HABITS
    from modomodo.models.nano.samples import collate, draw_sample

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    model.train()
    for step in range(steps):
        rngs = [child_rng(0, "small-qwen", step, index) for index in range(BATCH)]
        samples = [draw_sample(rng, captions=0.0, habits=HABITS, families=FAMILIES) for rng in rngs]
        inputs = collate(processor.tokenizer, samples)
        del inputs["pixel_values"]
        pictures = [Image.fromarray(sample.pixels) for sample in samples]
        inputs |= processor.image_processor(pictures, return_tensors="pt")
        inputs["mm_token_type_ids"] = (inputs["input_ids"] == model.config.image_token_id).int()
        loss = model(**inputs).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 40 == 0:
            print(step, round(loss.item(), 3), flush=True)


if __name__ == "__main__":
    save(Path(sys.argv[1]))
