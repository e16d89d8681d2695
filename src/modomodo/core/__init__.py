"""Values that travel: rows, mixtures, schedules. And what everything needs: errors, files, seeds, TOML."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.core.files import write_json as write_json
    from modomodo.core.files import write_text as write_text
    from modomodo.core.rows import Box as Box
    from modomodo.core.rows import open_image as open_image
    from modomodo.core.seeds import child_rng as child_rng
    from modomodo.core.seeds import child_seed as child_seed
    from modomodo.core.simplex import Array as Array
    from modomodo.core.simplex import limits_of as limits_of
    from modomodo.core.toml import read_toml as read_toml

__getattr__ = later(
    __name__,
    {
        "files": "write_json write_text",
        "rows": "Box open_image",
        "seeds": "child_rng child_seed",
        "simplex": "Array limits_of",
        "toml": "read_toml",
    },
)
