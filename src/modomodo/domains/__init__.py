"""The one registry: DOMAINS, and the entry-point group "modomodo.domains" for packages of others."""

from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import entry_points

from modomodo.domain import Domain, Message
from modomodo.domains import easy_vqa
from modomodo.errors import ModomodoError, closest
from modomodo.nano.world import rows as nano_rows
from modomodo.rows import Row, View

__all__ = ["DOMAINS", "find_domain"]


def _bare_question(row: Row, view: View) -> list[Message]:
    """Return the picture and the question alone: the nano model knows the format of its replies."""
    return [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row.question}]}]


def _nano(family: str, splits: tuple[str, ...]) -> Domain:
    return Domain(family, partial(nano_rows, family), _bare_question, splits=splits)


DOMAINS: dict[str, Domain] = {
    "detect": _nano("detect", ("train", "test")),
    "refer": _nano("refer", ("train", "test")),
    "geometry": _nano("geometry", ("train", "test")),
    "spatial": _nano("spatial", ("train", "test")),
    "science": _nano("science", ("train", "test")),
    "charts": _nano("charts", ("test",)),
    "infographic": _nano("infographic", ("test",)),
    "maths": _nano("maths", ("test",)),
    "general": _nano("general", ("test",)),
    "easy_vqa": Domain("easy_vqa", easy_vqa.rows, _bare_question),
}


def find_domain(name: str) -> Domain:
    """Return the domain of that name, ours or an installed package's.

    Raises ModomodoError with the closest known names.
    """
    if name in DOMAINS:
        return DOMAINS[name]
    points = _entry_points()
    if name not in points:
        raise ModomodoError(f"unknown domain {name!r}; {closest(name, [*DOMAINS, *points])}")
    found = entry_points(group="modomodo.domains")[name].load()
    if not isinstance(found, Domain):
        raise ModomodoError(f"the entry point {name!r} of modomodo.domains is a {type(found).__name__}, not a Domain")
    return found


@cache
def _entry_points() -> Sequence[str]:
    return tuple(entry_points(group="modomodo.domains").names)
