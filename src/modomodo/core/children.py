"""Child processes: they import nothing from the working folder, where any file may bear the name of a module."""

import os
from collections.abc import Generator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path

SAFE_PATH: Mapping[str, str] = {"PYTHONSAFEPATH": "1"}
"""Environment in which Python, however it is started, leaves the working folder out of sys.path."""

_WITHOUT_CODE = Path(__file__).parents[1] / "models" / "nano" / "checkpoint"


@contextmanager
def environment(changes: Mapping[str, str]) -> Generator[None]:
    """Give processes that are started meanwhile these variables; this process gets its own back."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def without_code() -> Generator[None]:
    """Stand in a folder that holds no code, and give processes that are started meanwhile a safe path.

    For Ray, which puts the working folder of whoever connects first on the path of all workers.
    """
    named = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    path = {"PYTHONPATH": os.pathsep.join(named)} if named else {}
    with environment({**SAFE_PATH, **path}), chdir(_WITHOUT_CODE):
        yield
