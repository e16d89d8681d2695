"""The process in which a stranger's chat template runs first, started by chat_template.py: a script without modomodo.

It reads one JSON object with template, variables, prompts, longest and seconds, and answers with {"texts": [...]} or
{"error": why}. The kernel ends it when its CPU time is up (SIGPROF with its default action), also inside of C code.
"""

import json
import resource
import signal
import sys
from typing import Any

MEMORY_BYTES = 1 << 30  # more is a MemoryError


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
        answer = {"texts": texts} if longest <= asked["longest"] else {"error": f"it makes {longest:,} characters"}
    except MemoryError:
        answer = {"error": f"it takes over {MEMORY_BYTES >> 20:,} MiB of memory"}
    # The process boundary: a template can raise anything.
    except Exception as error:  # noqa: BLE001
        answer = {"error": f"{type(error).__name__}: {error}"[:500]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
