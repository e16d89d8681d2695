"""From files to rows: domains, your own JSONL and CSV, published sets, prepared sets, contamination."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.data.sources.prompts import ANSWERS as ANSWERS
    from modomodo.data.sources.prompts import FORM as FORM
    from modomodo.data.sources.source import Source as Source

__getattr__ = later(
    __name__,
    {
        "sources.prompts": "ANSWERS FORM",
        "sources.source": "Source",
    },
)
