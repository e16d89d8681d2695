"""Every key of a recipe, of a study, and of `--set` for a table of runs."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.config.sections import Launcher as Launcher
    from modomodo.config.toml_files import with_data as with_data

__getattr__ = later(
    __name__,
    {
        "sections": "Launcher",
        "toml_files": "with_data",
    },
)
