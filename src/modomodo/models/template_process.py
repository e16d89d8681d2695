"""The process in which a stranger's chat template runs first, started by chat_template.py: a script without modomodo.

It reads one JSON object with template, variables, prompts, longest and seconds, and answers with {"texts": [...]} or
{"error": why}. The kernel ends it when its CPU time is up (SIGPROF with its default action), also inside of C code.
"""

import json
import resource
import signal
import sys
from datetime import datetime
from typing import Any

MEMORY_BYTES = 1 << 30  # more is a MemoryError


def _at_other_times(prompt: Any, options: dict[str, Any]) -> bool:
    """Return whether a prompt is another one at another time of the same day; a date alone is the same."""
    from transformers.utils import chat_template_utils

    if "strftime_now" not in options["chat_template"]:
        return False
    texts: set[str] = set()
    for moment in (datetime(2024, 3, 5, 10, 11, 12, 345678), datetime(2024, 3, 5, 21, 22, 23, 456789)):
        clock = type("Clock", (), {"now": staticmethod(lambda moment=moment: moment)})
        chat_template_utils.datetime = clock  # pyright: ignore[reportAttributeAccessIssue, reportPrivateImportUsage]
        texts.add(chat_template_utils.render_jinja_template(conversations=[prompt], **options)[0][0])
    return len(texts) > 1


def main() -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    asked: dict[str, Any] = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, asked["seconds"])
    options = {"chat_template": asked["template"], "add_generation_prompt": True, **asked["variables"]}
    answer: dict[str, object]
    try:
        texts = [render_jinja_template(conversations=[prompt], **options)[0][0] for prompt in asked["prompts"]]
        longest = max(map(len, texts))
        if longest > asked["longest"]:
            answer = {"error": f"it makes {longest:,} characters"}
        elif _at_other_times(asked["prompts"][0], options):
            answer = {"error": "it writes the time of day, so that a prompt is another one each time"}
        else:
            answer = {"texts": texts}
    except MemoryError:
        answer = {"error": f"it takes over {MEMORY_BYTES >> 20:,} MiB of memory"}
    # The process boundary: a template can raise anything.
    except Exception as error:  # noqa: BLE001
        answer = {"error": f"{type(error).__name__}: {error}"[:500]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
