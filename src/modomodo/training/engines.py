"""What is said where an engine is not installed; each has an environment of its own. Imports neither."""

from modomodo.core.errors import ModomodoError
from modomodo.core.packages import is_installed

VLLM_OF_VERL = "pip install 'verl[vllm]==0.9.1', in an environment without trl (docs/verl.md)"


def check_trl_installed() -> None:
    """Raise ModomodoError where TRL is not installed."""
    if not is_installed("trl"):
        raise ModomodoError(
            "engine is 'trl', which is not installed here: pip install '.[trl,data,verify]' in an environment without "
            "verl, or set engine = 'verl'"
        )


def check_verl_installed() -> None:
    """Raise ModomodoError where verl is not installed."""
    if not is_installed("verl"):
        raise ModomodoError(
            "engine is 'verl', which is not installed here, and has an environment of its own: with GPUs pip install "
            "'.[verl]' 'verl[vllm]==0.9.1' (docs/verl.md), without them make verl-env and .venv-verl/bin/modomodo"
        )
