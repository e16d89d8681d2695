"""Small sets in the shapes of public projects, columns renamed and reordered, with the rows that they mean."""

import base64
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

COUNT = 24
COLOURS = ("red", "blue", "green")
NAMES = {
    "question": ("question", "query", "problem", "prompt", "Question", "text"),
    "answer": ("answer", "gt", "ground_truth", "correct_answer", "Answer", "solution", "label"),
    "picture": ("image", "img", "photo", "image_path", "figure", "images"),
    "options": ("options", "choices", "candidates"),
}
BESIDE = {
    "source": lambda k: "web",
    "difficulty": lambda k: k % 3,
    "width": lambda k: 40,
    "height": lambda k: 30,
    "tags": lambda k: ["plate"],
    "meta": lambda k: {"page": k % 5, "split": "train"},
    "category": lambda k: "marks",
}


@dataclass(frozen=True)
class Meant:
    """A row: what is shown, [] for an image and options with their letters; the gold; and the images."""

    shown: str
    gold: Any
    pictures: tuple[bytes, ...] = ()
    verifiers: tuple[str, ...] = ("count", "number", "text")


@dataclass
class Set:
    """A set under way: its folder, its chance, and what its rows mean; None where it must be refused."""

    folder: Path
    rng: random.Random
    meant: list[Meant] | None = field(default_factory=list)
    refusal: str = ""

    def name(self, role: str) -> str:
        return self.rng.choice(NAMES[role])

    def picture(self, k: int, path: str | None = None) -> bytes:
        """Return an image that no other row has, as a file too if a path is given."""
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30), (k * 9 % 256, k % 256, 77)).save(buffer, "PNG")
        if path is not None:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(buffer.getvalue())
        return buffer.getvalue()

    def asks(self, shown: str, gold: Any, *pictures: bytes, verifiers: tuple[str, ...] = ()) -> None:
        if self.meant is not None:
            self.meant.append(Meant(shown, gold, pictures, verifiers or Meant.verifiers))

    def mixed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows with some columns beside theirs, in one order of all."""
        beside = self.rng.sample(list(BESIDE), self.rng.randrange(4))
        full = [{**row, **{name: BESIDE[name](k) for name in beside if name not in row}} for k, row in enumerate(rows)]
        order = list(full[0])
        self.rng.shuffle(order)
        return [{name: row[name] for name in order} for row in full]

    def write(self, rows: list[dict[str, Any]], *kinds: str) -> Path:
        rows = self.mixed(rows)
        kind = self.rng.choice(kinds or ("jsonl", "json", "parquet"))
        path = self.folder / f"own.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.Table.from_pylist(rows), path)
        elif kind in ("tsv", "csv"):
            import csv

            with path.open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, list(rows[0]), delimiter="\t" if kind == "tsv" else ",")
                table.writeheader()
                table.writerows(rows)
        else:
            lines = map(json.dumps, rows)
            path.write_text("\n".join(lines) if kind == "jsonl" else f"[{', '.join(lines)}]")
        return path


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def lettered(question: str, options: tuple[str, ...]) -> str:
    return "\n".join([question, *(f"{letter}. {text}" for letter, text in zip("ABCDEFGH", options, strict=False))])


def as_values(made: Set) -> Path:
    """Images as paths, objects with one, base64, data URIs or lists of these."""
    question, answer, picture = (made.name(role) for role in ("question", "answer", "picture"))
    hold: Callable[[bytes, str], Any] = made.rng.choice(
        [
            lambda data, path: path,
            lambda data, path: {"path": path},
            lambda data, path: [path],
            lambda data, path: str([path]),
            lambda data, path: [{"url": path}],
            lambda data, path: text_of(data),
            lambda data, path: f"data:image/png;base64,{text_of(data)}",
            lambda data, path: {"bytes": text_of(data)},
            lambda data, path: [{"image_url": {"url": f"data:image/png;base64,{text_of(data)}"}}],
        ]
    )
    end = made.rng.choice([".png", ".PNG", ""])
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}{end}")
        rows.append({question: f"How many on {k}?", answer: k + 1, picture: hold(data, f"p/{k}{end}")})
        made.asks(f"[]How many on {k}?", str(k + 1), data)
    return made.write(rows)


def hub(made: Set) -> Path:
    """Parquet as the hub holds it: structs of bytes and path, one or a list; EasyR1's columns among these."""
    several = made.rng.random() < 0.5
    question, answer, picture = made.name("question"), made.name("answer"), "images" if several else "image"
    rows = []
    for k in range(COUNT):
        data = made.picture(k)
        struct = {"bytes": data, "path": None}
        mark = "<image>" * (made.rng.random() < 0.5)
        rows.append({question: f"{mark}How many on {k}?", answer: str(k), picture: [struct] if several else struct})
        made.asks(f"[]How many on {k}?", str(k), data)
    return made.write(rows, "parquet")


def verl(made: Set) -> Path:
    """verl's rows: a chat with marks, images beside it, the gold in an object."""
    written = made.rng.random() < 0.3
    rows = []
    for k in range(COUNT):
        data = made.picture(k)
        model = {"style": "rule", "ground_truth": str(k)}
        rows.append(
            {
                "data_source": "mine/plates",
                "prompt": [{"role": "user", "content": f"<image>How many on {k}?"}],
                "images": [{"bytes": data, "path": None}],
                "ability": "math",
                "reward_model": json.dumps(model) if written else model,
                "extra_info": {"split": "train", "index": k, "answer": f"I count.\n#### {k}", "question": f"On {k}?"},
            }
        )
        made.asks(f"[]How many on {k}?", str(k), data)
    return made.write(rows, "parquet")


def swift(made: Set) -> Path:
    """ms-swift and LLaMA-Factory: chats under two pairs of keys, marks in the text, images as paths."""
    column, role, content, user, reply = made.rng.choice(
        [
            ("messages", "role", "content", "user", "assistant"),
            ("conversations", "from", "value", "human", "gpt"),
            ("conversation", "role", "content", "user", "assistant"),
        ]
    )
    two = made.rng.random() < 0.5
    rows = []
    for k in range(COUNT):
        data = [made.picture(k, f"p/{k}.png"), *([made.picture(k + 100, f"p/{k}b.png")] if two else [])]
        said = f"Plate <image> or plate <image>, {k}?" if two else f"<image>\nHow many on {k}?"
        rows.append(
            {
                column: [{role: user, content: said}, {role: reply, content: f"<answer>{k}</answer>"}],
                "images": [f"p/{k}.png", *([f"p/{k}b.png"] if two else [])],
            }
        )
        made.asks(said.replace("<image>\n", "<image>").replace("<image>", "[]"), str(k), *data)
    return made.write(rows)


def alpaca(made: Set) -> Path:
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}.png")
        rows.append(
            {"instruction": f"<image>Count {k}.", "input": f"Plate {k}", "output": str(k), "images": [f"p/{k}.png"]}
        )
        made.asks(f"[]Count {k}.\nPlate {k}", str(k), data)
    return made.write(rows, "jsonl", "json")


def parts(made: Set) -> Path:
    """Content parts of OpenAI, Qwen and Anthropic, the images in the chat itself."""
    kind = made.rng.choice(["openai", "qwen", "anthropic"])
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}.png")
        picture = {
            "openai": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text_of(data)}"}},
            "qwen": {"type": "image", "image": f"p/{k}.png"},
            "anthropic": {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": text_of(data)},
            },
        }[kind]
        content = [{"type": "text", "text": f"On {k}, "}, picture, {"type": "text", "text": ", how many?"}]
        messages = [
            {"role": "user", "content": content},
            {"role": "assistant", "content": [{"type": "text", "text": str(k)}]},
        ]
        rows.append({"messages": json.dumps(messages) if made.rng.random() < 0.3 else messages})
        made.asks(f"On {k}, [], how many?", str(k), data)
    return made.write(rows, "jsonl", "json")


def vlmeval(made: Set) -> Path:
    """VLMEvalKit's TSV: base64, an option in each column, the letter."""
    rows = []
    for k in range(COUNT):
        data = made.picture(k)
        rows.append(
            {
                "index": k,
                "image": text_of(data),
                "question": f"Which is {k}?",
                "hint": f"Look at {k}." if k % 2 else "",
                **dict(zip("ABCD", (*COLOURS, "" if k % 3 else "grey"), strict=True)),
                "answer": "ABC"[k % 3],
            }
        )
        options = COLOURS if k % 3 else (*COLOURS, "grey")
        asked = f"Look at {k}.\nWhich is {k}?" if k % 2 else f"Which is {k}?"
        made.asks(lettered(f"[]{asked}", options), "ABC"[k % 3], data, verifiers=("choice",))
    return made.write(rows, "tsv")


def choices(made: Set) -> Path:
    """Options in a list, an object, objects or a text; the answer by text, letter or index; some rows without any."""
    question, answer, options = (made.name(role) for role in ("question", "answer", "options"))
    kind = made.rng.choice(["text", "letter", "index"])
    hold = made.rng.choice(
        [
            list,
            lambda texts: dict(zip("ABC", texts, strict=True)),
            lambda texts: [{"label": letter, "text": text} for letter, text in zip("ABC", texts, strict=True)],
            lambda texts: " | ".join(texts),
            lambda texts: str(list(texts)),
        ]
    )
    free = made.rng.random() < 0.5 and kind != "index"
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}.png")
        if free and k % 4 == 3:
            gold: Any = str(k)
            rows.append({question: f"How many on {k}?", answer: gold, options: None, "image": f"p/{k}.png"})
            made.asks(f"[]How many on {k}?", gold, data)
            continue
        gold = {"text": COLOURS[k % 3], "letter": "ABC"[k % 3], "index": k % 3}[kind]
        rows.append({question: f"Which is {k}?", answer: gold, options: hold(COLOURS), "image": f"p/{k}.png"})
        made.asks(lettered(f"[]Which is {k}?", COLOURS), "ABC"[k % 3], data, verifiers=("choice",))
    return made.write(rows, "jsonl", "json")


def keyed(made: Set) -> Path:
    """A JSON object of rows by their ids."""
    question, answer, picture = (made.name(role) for role in ("question", "answer", "picture"))
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}.png")
        rows.append({question: f"How many on {k}?", answer: k, picture: f"p/{k}.png"})
        made.asks(f"[]How many on {k}?", str(k), data)
    path = made.folder / "own.json"
    path.write_text(json.dumps({f"id{k}": row for k, row in enumerate(made.mixed(rows))}))
    return path


def grounding(made: Set) -> Path:
    """Boxes: swift's objects, Qwen's tokens, a fence of JSON, plain lists."""
    kind = made.rng.choice(["swift", "swift2", "tokens", "fence", "list"])
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}.png")
        x1, y1, x2, y2 = box = [1 + k % 5, 2, 20 + k % 7, 25]
        said, reply = f"<image>Find plate {k}", "<bbox>"
        row: dict[str, Any] = {"images": [f"p/{k}.png"]}
        if kind == "swift":
            said, row["objects"] = "<image>Find <ref-object>", {"ref": [f"plate {k}"], "bbox": [box]}
        elif kind == "swift2":
            said = "<image>Find <ref-object>"
            row["objects"] = json.dumps([{"caption": f"plate {k}", "bbox": box, "bbox_type": "real", "image": 0}])
        else:
            reply = {
                "tokens": f"<|box_start|>({x1},{y1}),({x2},{y2})<|box_end|>",
                "fence": f'```json\n[{{"bbox_2d": {box}, "label": "plate"}}]\n```',
                "list": str(box),
            }[kind]
        rows.append({**row, "messages": [{"role": "user", "content": said}, {"role": "assistant", "content": reply}]})
        gold = tuple(map(float, box))
        made.asks(f"[]Find plate {k}", gold, data, verifiers=("box", "boxes"))
    return made.write(rows, "jsonl", "json")


def solutions(made: Set) -> Path:
    """Golds that a worked solution ends on."""
    question, picture = made.name("question"), made.name("picture")
    end = made.rng.choice(["\\boxed{%s}", "<answer>%s</answer>", "\n#### %s", "So $x = \\boxed{%s}$, as asked."])
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"p/{k}.png")
        rows.append(
            {question: f"How many on {k}?", "solution": f"I count {k + 3} less 3. {end % k}", picture: f"p/{k}.png"}
        )
        made.asks(f"[]How many on {k}?", str(k), data)
    return made.write(rows)


def elsewhere(made: Set) -> Path:
    """Images in another folder than the file's."""
    folder = made.rng.choice(["pictures", "../images", "../images/train", "a/b"])
    question, answer, picture = (made.name(role) for role in ("question", "answer", "picture"))
    made.folder = made.folder / "annotations"
    rows = []
    for k in range(COUNT):
        data = made.picture(k, f"{folder}/{k}.png")
        rows.append({question: f"How many on {k}?", answer: k, picture: f"{k}.png"})
        made.asks(f"[]How many on {k}?", str(k), data)
    return made.write(rows, "jsonl", "json")


def numbered(made: Set) -> Path:
    """A column for each image, which the file has in any order."""
    rows = []
    for k in range(COUNT):
        first, second = made.picture(k, f"p/{k}.png"), made.picture(k + 100, f"p/{k}b.png")
        marks = ("<image 1>", "<image 2>") if made.rng.random() < 0.5 else ("<image>", "<image>")
        asked = f"Is {marks[0]} as {marks[1]}, {k}?"
        rows.append(
            {"question": asked, "image_2": f"p/{k}b.png", "image_1": f"p/{k}.png", "answer": "yes" if k % 2 else "no"}
        )
        made.asks(f"Is [] as [], {k}?", "yes" if k % 2 else "no", first, second)
    return made.write(rows)


def refused(made: Set) -> Path:
    """What must be refused: the words of the refusal are among those that are known."""
    question, answer = made.name("question"), made.name("answer")
    change, made.refusal = made.rng.choice(
        [
            (lambda k: {"image": f"https://a.b/{k}.png"}, "nothing is downloaded"),
            (lambda k: {"image": f"/data/p/{k}.png"}, "leads out of"),
            (lambda k: {"image": f"../p/{k}.png"}, "leads out of"),
            (
                lambda k: {"image": f"p/{k}.png", question: f"<image><image>How many on {k}?"},
                "2 <image> marks, 1 image",
            ),
            (lambda k: {question: f"<image>How many on {k}?"}, "1 <image> mark, 0 images"),
            (lambda k: {"image": f"p/{k}.png", question: f"How many on {k}?<|im_end|>"}, "as a sign of their own"),
            (lambda k: {"image": f"p/{k}.png", question: "Find <ref-object>", answer: "<bbox>"}, "objects"),
            (lambda k: {"options": ["red", "blue"], answer: 2}, "does not name one of the options"),
            (lambda k: {"answer": {"value": k, "unit": "cm"}, answer: None}, "is no answer|no column can be an answer"),
            (lambda k: {answer: k % 2 == 0}, "is no answer|no column can be an answer"),
            (
                lambda k: {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
                "2 turns|None",
            ),
        ]
    )
    rows = []
    for k in range(COUNT):
        made.picture(k, f"p/{k}.png")
        rows.append({question: f"How many on {k}?", answer: k, **change(k)})
    if "messages" in rows[0]:
        rows = [{"messages": row["messages"], answer: row[answer]} for row in rows]
    made.meant = None
    return made.write(rows, "jsonl", "json")


def broken(made: Set) -> Path:
    """Files that could be read in two ways."""
    line, made.refusal = made.rng.choice(
        [
            (b'{"question": "a?", "answer": 1, "answer": 2}', "the key 'answer' occurs twice"),
            ('{"question": "caf\u00e9?", "answer": 1}'.encode("cp1252"), r"is not UTF-8 \(line 4: .* byte 0xe9"),
            (b'{"question": "a?", "answer": 1e-400}', "the number 1e-400 would be read as 0"),
            (b'{"question": "a?", "answer": ' + b"[" * 900 + b"]" * 900 + b"}", "nested more than 64 deep"),
            (b'{"question": "a?", "answer": 1', "is no JSONL|is no JSON"),
        ]
    )
    made.meant = None
    good = [b'{"question": "%d?", "answer": %d}' % (k, k) for k in range(COUNT)]
    lines = [*good[:3], line, *good[3:]]
    whole = made.rng.random() < 0.5
    path = made.folder / f"own.{'json' if whole else 'jsonl'}"
    path.write_bytes(b"[" + b",\n".join(lines) + b"]" if whole else b"\n".join(lines))
    return path


SHAPES = (
    as_values,
    hub,
    verl,
    swift,
    alpaca,
    parts,
    vlmeval,
    choices,
    keyed,
    grounding,
    solutions,
    elsewhere,
    numbered,
)
SHAPES = (*SHAPES, refused, broken)
