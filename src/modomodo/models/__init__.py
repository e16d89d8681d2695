"""Models: names, families, loading and parts. The embedded models are in `nano`."""

from typing import TYPE_CHECKING

from modomodo.core.later import later

if TYPE_CHECKING:
    from modomodo.models.names import model_path as model_path
    from modomodo.models.nano.model import CHECKPOINT as CHECKPOINT

__getattr__ = later(
    __name__,
    {
        "names": "model_path",
        "nano.model": "CHECKPOINT",
    },
)
