"""play: rows as a person answers them, with the verdict the model would get. The cheapest debugger of a verifier."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from modomodo.config.domains import recipe_domain
from modomodo.config.recipe import Recipe
from modomodo.core.rows import Row
from modomodo.core.seeds import child_rng
from modomodo.data.domain import Domain, verdict_on
from modomodo.verifiers import gold_reply

SKIP, GOLD, QUIT = "", ":gold", ":quit"
PLACED = ("box", "boxes", "point")  # verifiers of replies that have a frame
FORMS = {
    "choice": "a letter",
    "number": "a number",
    "count": "a whole number",
    "math": "a number or LaTeX",
    "box": "[x1, y1, x2, y2]",
    "boxes": "[[x1, y1, x2, y2], ...]",
    "point": "[x, y]",
}


def play(recipe: Recipe, *, ask: Callable[[], str | None], say: Callable[[str], None]) -> tuple[int, float]:
    """Show rows in turn, judge what is typed, and return how many answers were graded and their mean reward.

    `ask` returns a line, or None when there are no more; `say` prints one. An empty line skips the row, `:gold` shows
    the gold reply, `:quit` ends. A reply without tags is judged as the bare answer.
    """
    domains = [recipe_domain(recipe, name) for name in recipe.domains]
    rewards: list[float] = []
    say(f"Type a reply as the model would, or the bare answer; Enter skips, {GOLD} shows the gold, {QUIT} ends.")
    with tempfile.TemporaryDirectory(prefix="modomodo-play-") as folder:
        for domain, row in _rows(domains, recipe.seed):
            _show(domain, row, recipe, Path(folder), say)
            reply = ask()
            while reply == GOLD:
                say(gold_reply(row.target, recipe.view))
                reply = ask()
            if reply is None or reply == QUIT:
                break
            reward = None if reply == SKIP else _judge(domain, row, reply, recipe, say)
            if reward is not None:
                rewards.append(reward)
    return len(rewards), sum(rewards) / len(rewards) if rewards else 0.0


def _rows(domains: Sequence[Domain], seed: int) -> Iterator[tuple[Domain, Row]]:
    """Yield a row of each domain in turn, in random order, each once."""
    drawn = [
        [rows[int(place)] for place in child_rng(seed, "play", domain.name).permutation(len(rows))]
        for domain in domains
        for rows in [domain.load(domain.splits[0])]
    ]
    for round_ in range(max(map(len, drawn))):
        for domain, rows in zip(domains, drawn, strict=True):
            if round_ < len(rows):
                yield domain, rows[round_]


def _show(domain: Domain, row: Row, recipe: Recipe, folder: Path, say: Callable[[str], None]) -> None:
    form = FORMS.get(row.target.verifier, "a short text")
    size = row.target.image_size
    placed = row.target.verifier in PLACED
    where = f" in frame {recipe.view.frame}, image {size[0]} x {size[1]}" if size and placed else ""
    say(f"\n{domain.name}, row {row.id}, verifier {row.target.verifier}: {form}{where}")
    for index, image in enumerate(row.images):
        if isinstance(image, bytes):
            path = folder / f"{_file_name(row.id)}-{index}.png"
            path.write_bytes(image)
            image = path
        say(f"image: {image}")
    number = 0
    for message in domain.prompt(row, recipe.view):
        said = ""
        for part in message["content"]:
            number += part["type"] == "image"
            # Images before all words are told above; another one's place is among these.
            said += part["text"] if part["type"] == "text" else f"[image {number}]" * bool(said)
        say(said)


def _file_name(row_id: str) -> str:
    """Return a row's id as the name of a file can have it, whatever a domain in Python calls its rows."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", row_id)[:100]


def _judge(domain: Domain, row: Row, reply: str, recipe: Recipe, say: Callable[[str], None]) -> float | None:
    bare = "<answer>" not in reply
    verdict = verdict_on(
        row, f"<think></think><answer>{reply}</answer>" if bare else reply, domain=domain, view=recipe.view
    )
    say(
        f"{verdict.status}, reward {'none' if verdict.reward is None else f'{verdict.reward:.3g}'}"
        f"{f': {verdict.reason}' if verdict.reason else ''}{' (judged as the bare answer)' if bare else ''}"
    )
    if verdict.reward != 1:
        say(f"gold: {json.dumps(row.target.value, ensure_ascii=False)}")
    return verdict.reward
