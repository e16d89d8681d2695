"""The section with everything that is needed to repeat the study."""

import json
from collections.abc import Mapping
from typing import Any

from modomodo.config.study import Study
from modomodo.config.toml_files import OF_ONE_RUN
from modomodo.core.toml import toml_key, toml_value
from modomodo.reports.evidence import Evidence
from modomodo.reports.html.blocks import Section, link_to
from modomodo.reports.html.markup import Child, Html, el, join, left_out, table

COMMANDS = (
    ("check", "everything that can fail before a run starts"),
    ("pilot", "the pilots that are missing"),
    ("recommend", "the mixture"),
    ("confirm", "fresh seeds of it and of equal shares"),
    ("report", "this page"),
)


def repeat_section(evidence: Evidence) -> Section:
    """Return study, commands, versions, seeds and hashes."""
    study = evidence.study
    width = max(len(verb) for verb, _ in COMMANDS)
    lines = [f"modomodo {verb:{width}} study.toml  # {what}" for verb, what in COMMANDS]
    lines.append("modomodo train study.toml --set mixture=recommended  # one run of the answer")
    body = (
        el("p", "Save this as study.toml; the commands below then repeat the study, or continue it."),
        el("details", el("summary", "study.toml"), el("pre", to_toml(study)), open=""),
        el("pre", "\n".join(lines)),
        el("h3", "Versions of packages"),
        _versions(evidence),
        el("h3", "Hashes of model and rows"),
        _digests(evidence),
        el("h3", "Seeds and keys of the runs"),
        _keys(evidence),
        el(
            "details",
            el("summary", "The study as JSON"),
            el("pre", json.dumps(study.model_dump(mode="json"), indent=1, ensure_ascii=False)),
        ),
    )
    return Section("repeat", "Repeat", "Everything to repeat it", body)


def to_toml(study: Study) -> str:
    """Return a study as TOML, which `load_study` reads back as the same study; fields that are None are left out."""
    return "\n".join(_toml_lines(study.model_dump(mode="json", exclude={"recipe": {*OF_ONE_RUN}}), path="")) + "\n"


def _toml_lines(fields: Mapping[str, Any], *, path: str) -> list[str]:
    plain = {key: value for key, value in fields.items() if value is not None and not isinstance(value, dict)}
    lines = [f"{toml_key(key)} = {toml_value(value)}" for key, value in plain.items()]
    for key, value in fields.items():
        if isinstance(value, dict):
            place = f"{path}.{toml_key(key)}" if path else toml_key(key)
            lines += ["", f"[{place}]", *_toml_lines(value, path=place)]
    return lines


def _versions(evidence: Evidence) -> Html:
    found: dict[tuple[tuple[str, str], ...], list[Child]] = {}
    for run in evidence.runs:
        if run.versions:
            found.setdefault(tuple(run.versions.items()), []).append(link_to(run))
    if not found:
        return left_out("No finished run has recorded versions.")
    if len(found) == 1:
        return table(["package", "version"], [[name, version] for name, version in next(iter(found))])
    names = dict.fromkeys(name for versions in found for name, _ in versions)
    rows: list[list[Child]] = []
    for versions, links in found.items():
        separated = [part for link in links for part in (link, ", ")][:-1]
        known = dict(versions)
        rows.append([join(*separated), *(known.get(name, "–") for name in names)])
    return table(["runs", *names], rows)


def _digests(evidence: Evidence) -> Html:
    found: dict[str, dict[str, None]] = {}
    for run in evidence.runs:
        for name, digest in run.digests.items():
            found.setdefault(name, {})[digest] = None
    if not found:
        return left_out("No finished run has recorded hashes.")
    return table(["what", "hash"], [[name, el("code", ", ".join(digests))] for name, digests in found.items()])


def _keys(evidence: Evidence) -> Html:
    if not evidence.runs:
        return left_out("No run has finished.")
    rows: list[list[Child]] = [
        [link_to(run), str(run.seed), el("code", run.key), str(run.mixture)] for run in evidence.runs
    ]
    return table(["run", "seed", "key (folder)", "mixture"], rows)
