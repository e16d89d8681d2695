"""What other packages add under an entry-point group."""

from functools import cache
from importlib.metadata import entry_points


@cache
def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names of a group's entry points, those of the environment as it is when first asked."""
    return tuple(entry_points(group=group).names)


def load_plugin(group: str, name: str) -> object:
    """Return what an entry point of `plugin_names` names."""
    return entry_points(group=group)[name].load()
