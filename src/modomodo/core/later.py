"""Public names of a package that load when they are first used, so that importing it stays light."""

from collections.abc import Callable, Mapping
from importlib import import_module


def later(package: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package; `names` is module of the package -> its public names, in one text."""
    homes = {name: f"{package}.{module}" for module, found in names.items() for name in found.split()}

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return load
