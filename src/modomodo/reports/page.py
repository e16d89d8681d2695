"""report: a study's folder, or a bare table of runs, as one self-contained HTML page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from modomodo.config.study import Study
from modomodo.core.errors import ModomodoError, count
from modomodo.core.files import explained, write_text
from modomodo.mixing import Fitted
from modomodo.mixing.recommendation import Recommendation
from modomodo.reports.evidence import Evidence, read_evidence
from modomodo.reports.html.blocks import Section
from modomodo.reports.html.document import document
from modomodo.reports.html.markup import Html, el, prose
from modomodo.reports.sections.answer import answer_section
from modomodo.reports.sections.confirmation import confirmation_section
from modomodo.reports.sections.prediction import domains_section, prediction_section
from modomodo.reports.sections.repeat import repeat_section
from modomodo.reports.sections.samples import samples_section
from modomodo.reports.sections.scores import scores_section
from modomodo.reports.sections.training import training_section
from modomodo.reports.table_page import table_sections

EYEBROW = el("p", "modomodo report", cls="eyebrow")
"""What tells a modomodo page from any other."""
OF_A_STUDY = " Links lead to the folders of the runs and work where it was written."


def report(study: Study, *, path: Path | None = None) -> Path:
    """Return the path of the study's report, written whole or not at all from what its folder holds now.

    Without a `path` it is report.html in that folder. What the folder lacks is left out with a sentence that says so.
    Raises ModomodoError for damaged files, and where the page cannot be written or is another's.
    """
    path = path or study.folder / "report.html"
    _check_room(path)
    evidence = read_evidence(study, beside=path.parent)
    write_text(path, page(evidence, made=_now()))
    return path


def report_of_runs(
    fitted: Fitted,
    found: Recommendation,
    path: Path,
    *,
    source: Path,
    metrics: Path | None = None,
    sets: Sequence[str] = (),
) -> None:
    """Write the report of a bare table of runs, from the file `source`: what was fitted to it, and recommended.

    `metrics` is the second file of a table in two; `sets` are the `key=value` changes that it was fitted with.
    """
    _check_room(path)
    sections = table_sections(fitted, found, sources=(source, *([metrics] if metrics else [])), sets=sets)
    runs = count(len(fitted.runs.labels_N), "run")
    domains = count(len(fitted.runs.domains), "domain")
    about = f"{runs} of {source.name} · {domains} · scores {', '.join(fitted.runs.benchmarks)}"
    write_text(path, _page(source.stem, about, sections, made=_now()))


def page(evidence: Evidence, *, made: str) -> str:
    """Return the whole page; `made` is when, as a reader should see it."""
    study = evidence.study
    domains = count(len(evidence.domains), "domain")
    about = f"model {study.recipe.model} · {domains} · benchmarks {', '.join(study.benchmarks)}"
    sections = [
        answer_section(evidence),
        scores_section(evidence),
        prediction_section(evidence.fitted, evidence.missing, study=study),
        training_section(evidence),
        domains_section(evidence),
        confirmation_section(evidence),
        samples_section(evidence),
        repeat_section(evidence),
    ]
    *shown, last = (section for section in sections if not section.lacking)
    lacking = _lacking([section for section in sections if section.lacking])
    return _page(study.name, about, [*shown, *lacking, last], made=made, links=OF_A_STUDY)


def _check_room(path: Path) -> None:
    """Raise ModomodoError where something else than a modomodo report would be overwritten."""
    if not path.is_file():
        return
    with explained(path, to="read"):
        ours = EYEBROW.text in path.read_text(encoding="utf-8", errors="replace")
    if not ours:
        raise ModomodoError(f"{path} is there already and no report of modomodo: name another place with --out")


def _lacking(sections: Sequence[Section]) -> list[Section]:
    """Return a section that says why these are not there; none where there are none."""
    titles: dict[str, list[str]] = {}
    for section in sections:
        titles.setdefault(section.lacking, []).append(section.title)
    lines = (el("li", el("b", f"{', '.join(names)}. "), prose(sentence)) for sentence, names in titles.items())
    return [Section("lacking", "Not there yet", "Not there yet", (el("ul", *lines),))] if sections else []


def _page(name: str, about: str, sections: Sequence[Section], *, made: str, links: str = "") -> str:
    return document(
        f"{name}: modomodo report",
        _header(name, about),
        el("nav", el("div", *(el("a", one.short, href=f"#{one.name}") for one in sections)), aria_label="sections"),
        el("main", *(section.html() for section in sections)),
        el("footer", f"Made by modomodo, {made}.{links}"),
    )


def _header(name: str, about: str) -> Html:
    return el(
        "header",
        EYEBROW,
        el("h1", name),
        el("p", about, cls="about"),
        el("noscript", el("p", "Figures, menus and sorting need JavaScript; sentences and tables do not.")),
        cls="top",
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
