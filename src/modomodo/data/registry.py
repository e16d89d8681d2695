"""The one registry: DOMAINS, and the entry-point group "modomodo.domains" for packages of others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from modomodo.core.errors import ModomodoError, closest
from modomodo.core.plugins import load_plugin, plugin_names
from modomodo.core.rows import Row, View
from modomodo.data.domain import Domain, Message, no_notes
from modomodo.data.nano.world import rows as nano_rows
from modomodo.data.sets import easy_vqa
from modomodo.data.sets.chartqa import CHARTQA
from modomodo.data.sets.coco import COCO
from modomodo.data.sets.geoqav import GEOQAV
from modomodo.data.sets.infovqa import INFOVQA
from modomodo.data.sets.lisa import LISA
from modomodo.data.sets.mathvista import MATHVISTA
from modomodo.data.sets.mmmu import MMMU
from modomodo.data.sets.sat import SAT
from modomodo.data.sets.scienceqa import SCIENCEQA
from modomodo.data.sources.build import SourceDomain
from modomodo.data.sources.columns import domain_of
from modomodo.data.sources.source import Source

__all__ = ["DOMAINS", "find_domain"]


def _bare_question(row: Row, view: View) -> list[Message]:
    """Return the image and the question alone: the nano model knows the format of its replies."""
    return [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row.question}]}]


def _nano(family: str, splits: tuple[str, ...]) -> Domain:
    return Domain(family, partial(nano_rows, family), _bare_question, splits=splits)


PUBLISHED: dict[str, SourceDomain] = {
    published.name: published for published in (COCO, LISA, GEOQAV, SAT, SCIENCEQA, CHARTQA, INFOVQA, MATHVISTA, MMMU)
}

GROUP = "modomodo.domains"  # entry points of other packages
DOMAINS: dict[str, Domain] = {
    "detect": _nano("detect", ("train", "test")),
    "refer": _nano("refer", ("train", "test")),
    "geometry": _nano("geometry", ("train", "test")),
    "spatial": _nano("spatial", ("train", "test")),
    "science": _nano("science", ("train", "test")),
    "circuits": _nano("circuits", ("train", "test")),
    "compass": _nano("compass", ("train", "test")),
    "quiz": _nano("quiz", ("train", "test")),
    "palette": _nano("palette", ("train", "test")),
    "charts": _nano("charts", ("test",)),
    "infographic": _nano("infographic", ("test",)),
    "maths": _nano("maths", ("test",)),
    "general": _nano("general", ("test",)),
    "easy_vqa": Domain("easy_vqa", easy_vqa.rows, _bare_question),
    **{name: published.domain() for name, published in PUBLISHED.items()},
}


def find_domain(
    name: str, *, sources: Mapping[str, Source] | None = None, prepared: Path | None = None, exclude: Path | None = None
) -> Domain:
    """Return the domain of that name: of `sources`, a built-in one or an installed package's.

    A built-in domain that is read from the hub is read from where its source says instead. Rows come from the folder
    `prepared` where one is given, and training rows never are those that the list `exclude` names.

    Raises ModomodoError with the closest known names.
    """
    domain = _declared(name, sources or {})
    if prepared is not None:
        domain = _prepared(domain, prepared)
    return domain if exclude is None else _without(domain, exclude)


def _declared(name: str, sources: Mapping[str, Source]) -> Domain:
    if name in sources and name in PUBLISHED:
        return PUBLISHED[name].domain(PUBLISHED[name].source.moved(sources[name], name=name))
    if name in sources:
        if name in DOMAINS:
            raise ModomodoError(f"data.{name}: {name} is a built-in domain that no file holds; choose another name")
        return domain_of(name, sources[name])
    if name in DOMAINS:
        return DOMAINS[name]
    points = plugin_names(GROUP)
    if name not in points:
        raise ModomodoError(f"unknown domain {name!r}; {closest(name, [*DOMAINS, *points, *sources])}")
    loaded = load_plugin(GROUP, name)
    if not isinstance(loaded, Domain):
        raise ModomodoError(f"the entry point {name!r} of {GROUP} is a {type(loaded).__name__}, not a Domain")
    return loaded


def _prepared(domain: Domain, folder: Path) -> Domain:
    from modomodo.data.prepared.manifest import find_manifest
    from modomodo.data.prepared.sets import read_prepared

    manifest = find_manifest(folder, domain.name)
    now, then = domain.origin, manifest.origin
    if (now.declared if now else "") != (then.declared if then else ""):
        raise ModomodoError(
            f"data.{domain.name} is not what {folder / domain.name} was prepared from (its columns, filters, splits or "
            "verifier have changed, or how modomodo reads them): run `modomodo data prepare` on the file again, or "
            "undo the change"
        )
    splits = tuple(manifest.splits)
    # What there was to note about the source was said when it was prepared.
    return replace(domain, load=partial(read_prepared, folder, domain.name), splits=splits, notes=no_notes)


def _without(domain: Domain, exclude: Path) -> Domain:
    from modomodo.data.contamination.exclusions import problems, read_exclusions

    ids = read_exclusions(exclude).get(domain.name)
    if not ids:
        return domain

    @cache
    def load(split: str) -> Sequence[Row]:
        rows = domain.load(split)
        if split != "train":
            return rows
        # A list that names other rows than it was made for would leave in what it was to keep out.
        wrong = problems(exclude, domain.name, rows)
        if wrong:
            raise ModomodoError(" ".join(wrong))
        return tuple(row for row in rows if row.id not in ids)

    return replace(domain, load=load)
