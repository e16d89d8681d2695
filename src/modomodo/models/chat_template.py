"""Chat templates of others: programs, which are tried in a process of their own before any is rendered here."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from transformers import ProcessorMixin

from modomodo.core.children import SAFE_PATH
from modomodo.core.errors import ModomodoError, begun
from modomodo.data.domain import Message
from modomodo.models.nano.model import CHAT_TEMPLATE

LONGEST = 1 << 18  # characters of a template, and of what it may add to a prompt; those of the families have 10,000
SECONDS, FEW = 2.0, 50  # of CPU time, for so many prompts
FURTHER = 0.005  # of CPU time, for each further prompt; those of families take a tenth of it
BACKSTOP = 120.0  # seconds of wall time, which a busy machine may need
# Each thread of a library of linear algebra would take some of the memory that the process has.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
MARKS = ("image_token", "boi_token", "start_image_token")  # attributes of processors: what stands for an image

_ADVICE = "choose another checkpoint, or give a copy of its folder the chat_template.jinja of its family"
_SCRIPT = Path(__file__).with_name("template_process.py")
_QUESTION = "Which of the two clocks is right?"
_PROBES: tuple[list[Message], ...] = (
    [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _QUESTION}]}],
    [{"role": "user", "content": [{"type": "text", "text": _QUESTION}]}],
)
_WORDS_AFTER = 3  # "ASSISTANT:" and the like, between a question and the completion
_SIGN = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\W+")


def render(processor: ProcessorMixin, messages: Sequence[Message]) -> str:
    """Return the text that a prompt's messages become, up to where the completion begins; images are placeholders.

    Raises ModomodoError where the template loses a text or an image.
    """
    template: Any = processor
    text = template.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
    with begun("the chat template"):
        _check_whole(processor, messages, text)
    return text


def check_template(processor: ProcessorMixin, path: str) -> None:
    """Raise ModomodoError where a processor has no chat template, or one that is not safe or changes what is asked.

    It must keep texts and images, each once and in order, add no words to the question, and be the same each time.
    """
    with_image, without = check_prompts(processor, path, _PROBES)
    if with_image == without:
        raise ModomodoError(f"the chat template of {path!r} loses the image: {_ADVICE}")
    for text in (with_image, without):
        after = text.rpartition(_QUESTION)[2].strip()
        if text.count(_QUESTION) != 1:
            raise ModomodoError(
                f"the chat template of {path!r} writes the question {text.count(_QUESTION)} times: {_ADVICE}"
            )
        if len(list(filter(None, _SIGN.split(after)))) > _WORDS_AFTER:
            raise ModomodoError(f"the chat template of {path!r} adds words to the question, {after!r:.100}: {_ADVICE}")


def check_prompts(processor: ProcessorMixin, path: str, prompts: Sequence[Sequence[Message]]) -> list[str]:
    """Return the texts that prompts become, rendered in another process where the template is not our own.

    Raises ModomodoError for a template that fails, takes too long or too much, or loses a text or an image.
    """
    template = _template(processor, path)
    if template == CHAT_TEMPLATE or not prompts:
        return [render(processor, prompt) for prompt in prompts]
    given = sum(len(part.get("text", "")) for prompt in prompts for message in prompt for part in message["content"])
    seconds = SECONDS + FURTHER * max(0, len(prompts) - FEW)
    request = {
        "template": template,
        "variables": cast(Any, processor).tokenizer.special_tokens_map,
        "prompts": prompts,
        "longest": LONGEST + given,
        "seconds": seconds,
    }
    with begun(f"the chat template of {path!r}"):
        texts = _tried(json.dumps(request, default=str), seconds)
        for prompt, text in zip(prompts, texts, strict=True):
            _check_whole(processor, prompt, text)
    return texts


def try_prompts(processor: ProcessorMixin, path: str, prompts: Sequence[Sequence[Message]]) -> None:
    """Raise as `check_prompts` does, before a trainer renders the same prompts with no deadline of its own."""
    if _template(processor, path) != CHAT_TEMPLATE:
        check_prompts(processor, path, prompts)


def _check_whole(processor: ProcessorMixin, messages: Sequence[Message], text: str) -> None:
    wrong = _what_is_wrong(processor, messages, text)
    if wrong:
        raise ModomodoError(f"it {wrong}: {_ADVICE}")


def _what_is_wrong(processor: ProcessorMixin, messages: Sequence[Message], text: str) -> str:
    """Return what is wrong with the text that a prompt became, "" where nothing is; spaces do not count."""
    whole = _spaced(text)
    parts = [part for message in messages for part in message["content"]]
    texts = [_spaced(part["text"]) for part in parts if part["type"] == "text"]
    lost = next((one for one in texts if one not in whole), None)
    if lost is not None:
        return f"loses the text {lost!r:.60}"
    marks = [mark for name in MARKS if isinstance(mark := getattr(processor, name, None), str)]
    written = {mark: whole.count(mark) - sum(one.count(mark) for one in texts) for mark in marks}
    mark = max(written, key=written.__getitem__, default="")
    pictures = len(parts) - len(texts)
    if mark and written[mark] != pictures:
        return f"loses an image: {written[mark]} of {pictures}" if written[mark] < pictures else "adds an image"
    place = 0
    images_first = all(part["type"] == "image" for part in parts[:pictures])
    # Images among the words are put first by LLaVA's own template.
    for part in parts if images_first else [part for part in parts if part["type"] == "text"]:
        sought = _spaced(part["text"]) if part["type"] == "text" else mark
        found = whole.find(sought, place)
        if found < 0:
            return "changes the order of texts and images"
        place = found + len(sought)
    return ""


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _template(processor: ProcessorMixin, path: str) -> str:
    """Return the template that transformers would render."""
    found: Any = processor.chat_template
    if isinstance(found, dict):
        found = found.get("default")
    if not isinstance(found, str) or not found:
        raise ModomodoError(f"the processor of {path!r} has no chat template: choose an instruct model, or add one")
    if len(found) > LONGEST:
        raise ModomodoError(f"the chat template of {path!r} has {len(found):,} characters, over {LONGEST:,}: {_ADVICE}")
    return found


@lru_cache(maxsize=16)
def _tried(request: str, seconds: float) -> list[str]:
    """Return the texts of a request.

    Raises ModomodoError where its template fails, or is ended.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_SCRIPT)],
            input=request,
            env={**os.environ, **SAFE_PATH, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            timeout=BACKSTOP * seconds / SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ModomodoError(f"it did not end in {BACKSTOP * seconds / SECONDS:g} s: {_ADVICE}") from error
    if done.returncode == -signal.SIGPROF:
        raise ModomodoError(f"it takes over {seconds:.3g} s of CPU time: {_ADVICE}")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ModomodoError(f"it ends the process that tries it ({last:.200}): {_ADVICE}")
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise ModomodoError(f"it fails on a question ({answer['error']}): {_ADVICE}")
    return answer["texts"]
