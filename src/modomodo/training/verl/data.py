"""The rows of a schedule as verl reads them: Parquet, each row once; the order is that of schedule.csv."""

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from PIL import Image
from transformers import ProcessorMixin

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.core.errors import ModomodoError
from modomodo.core.files import explained, read_json, write_text
from modomodo.core.rows import Resize, Row, open_image, opened, picture_bytes
from modomodo.core.schedules import Schedule, write_schedule
from modomodo.data.domain import Message
from modomodo.models.chat_template import render, try_prompts
from modomodo.training.row_table import RowTable

MARKER = "<image>"
MARKERS = (MARKER, "<video>", "<audio>")
GROUP = 256  # rows that are held in memory at a time


def write_inputs(recipe: Recipe, plan: Schedule, processor: ProcessorMixin, *, folder: Path) -> None:
    """Write what the processes of verl read: schedule.csv, verl/rows.parquet and verl/recipe.json.

    Raises ModomodoError for a row whose prompt is too long, or holds a marker of images in its text.
    """
    write_schedule(plan, folder / "schedule.csv")
    path, known = folder / "verl" / "rows.parquet", folder / "verl" / "recipe.json"
    # The rows are written whole or not at all; their prompts were measured against the limit of the recipe beside them.
    if not path.exists() or _longest_prompt(known) != recipe.verl.max_prompt_length:
        write_rows(recipe, plan, processor, path=path)
    write_text(known, reachable(recipe).model_dump_json(indent=1) + "\n")


def _longest_prompt(recipe: Path) -> int | None:
    """Return the limit of a recipe that was written here; None where there is none to read."""
    known: Any = read_json(recipe)
    return known["verl"]["max_prompt_length"] if known else None


def reachable(recipe: Recipe) -> Recipe:
    """Return the recipe with absolute paths, for processes that work in other folders."""
    data = {
        name: source.model_copy(
            update={key: path.resolve() for key in ("path", "pictures") if (path := getattr(source, key)) is not None}
        )
        for name, source in recipe.data.items()
    }
    folders = {
        name: path and Path(path).resolve() for name in ("prepared", "exclude") if (path := getattr(recipe, name))
    }
    return recipe.model_copy(update={"data": data, **folders})


def write_rows(recipe: Recipe, plan: Schedule, processor: ProcessorMixin, *, path: Path) -> None:
    """Write the rows that the schedule uses, in the order of their first use."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = RowTable.load({name: recipe_domain(recipe, name) for name in plan.counts()}, view=recipe.view)
    keys = list(dict.fromkeys(plan.entries))
    try_prompts(processor, recipe.model, [table.prompt(*key) for key in keys])
    partial = path.with_name(path.name + ".partial")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(partial, _schema()) as writer:
            for start in range(0, len(keys), GROUP):
                records = [
                    record(table.row(*key), table.prompt(*key), recipe, processor)
                    for key in keys[start : start + GROUP]
                ]
                writer.write_table(pa.Table.from_pylist(records, schema=_schema()))
        os.replace(partial, path)


def record(row: Row, messages: Sequence[Message], recipe: Recipe, processor: ProcessorMixin) -> dict[str, Any]:
    """Return the columns of a row: data_source, prompt, images, reward_model, extra_info."""
    where = f"{row.domain}, row {row.id}"
    limited = recipe.view.resize if recipe.min_pixels or recipe.max_pixels else None
    pictures = [picture(image, resize=limited) for image in row.images]
    tokens = prompt_tokens(processor, messages, [size for _, size in pictures], resize=recipe.view.resize)
    if tokens > recipe.verl.max_prompt_length:
        raise ModomodoError(
            f"{where}: its prompt has {tokens} tokens, verl.max_prompt_length is {recipe.verl.max_prompt_length}: "
            "raise it, lower max_pixels, or exclude the row"
        )
    key = {"domain": row.domain, "row_id": row.id}
    return {
        "data_source": row.domain,
        "prompt": marked(messages, pictures=len(pictures), where=where),
        "images": [{"bytes": content} for content, _ in pictures],
        "reward_model": {"style": "rule", "ground_truth": json.dumps(key)},
        "extra_info": key,
    }


def marked(messages: Sequence[Message], *, pictures: int, where: str) -> list[dict[str, str]]:
    """Return the messages with text for content, each image a marker in it.

    Raises ModomodoError where verl would take a part of a text for an image.
    """
    parts = [part for message in messages for part in message["content"]]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    assert len(parts) - len(texts) == pictures, where
    marker = next((marker for marker in MARKERS if pictures and any(marker in text for text in texts)), None)
    if marker is not None:
        raise ModomodoError(
            f"{where}: its text holds {marker!r}, which verl takes for an image or recording: reword it, exclude "
            "the row, or train with engine = 'trl'"
        )
    return [
        {
            "role": message["role"],
            "content": "".join(part["text"] if part["type"] == "text" else MARKER for part in message["content"]),
        }
        for message in messages
    ]


def picture(image: bytes | Path, *, resize: Resize | None) -> tuple[bytes, tuple[int, int]]:
    """Return the file of an image that decodes to the RGB which TRL would get, and its [width, height].

    With `resize` it is resized here, to what the processors of the trainer and of vLLM then leave as it is.
    """
    content = picture_bytes(image)
    with opened(content) as plain:
        size = plain.size if resize is None else resize.size(plain.size)
        if plain.mode == "RGB" and not plain.has_transparency_data and plain.size == size:
            return content, size
    ready = open_image(image)
    if ready.size != size:
        ready = ready.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    ready.save(file, "PNG")
    return file.getvalue(), size


def prompt_tokens(
    processor: ProcessorMixin, messages: Sequence[Message], sizes: Sequence[tuple[int, int]], *, resize: Resize | None
) -> int:
    """Return the tokens of a prompt with images of these [width, height], as the Qwen families count them."""
    text = render(processor, messages)
    count = len(cast(Any, processor).tokenizer(text, add_special_tokens=False)["input_ids"])
    for size in sizes:
        assert resize is not None, "limits.py refuses families that resize in another way"
        width, height = resize.size(size)
        count += width * height // resize.factor**2 - 1  # the template has one token for each image
    return count


def places(columns: Mapping[str, Sequence[Any]], plan: Schedule) -> Iterator[int]:
    """Yield the place in the Parquet file of each prompt of the schedule.

    Raises ModomodoError for a row that the file lacks.
    """
    place_of = {
        (name, info["row_id"]): place
        for place, (name, info) in enumerate(zip(columns["data_source"], columns["extra_info"], strict=True))
    }
    for entry in plan.entries:
        if entry not in place_of:
            raise ModomodoError(f"{entry[0]}, row {entry[1]} is scheduled and not in rows.parquet: delete the file")
        yield place_of[entry]


def _schema() -> Any:
    import pyarrow as pa

    key = [pa.field("domain", pa.string()), pa.field("row_id", pa.string())]
    return pa.schema(
        {
            "data_source": pa.string(),
            "prompt": pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
            "images": pa.list_(pa.struct([("bytes", pa.binary())])),
            "reward_model": pa.struct([("style", pa.string()), ("ground_truth", pa.string())]),
            "extra_info": pa.struct(key),
        }
    )
