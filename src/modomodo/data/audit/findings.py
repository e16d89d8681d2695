"""What an audit's numbers mean, and what to do about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from modomodo.core.errors import count
from modomodo.data.audit.measure import Audited

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")

HALF = 0.5
"""A policy that never looks and earns more than this is paid more for its habits than for looking."""
SOME = 0.4
IDLE = 0.05
"""What answers may earn that name no answer: next to nothing."""
WRONG = 0.25
LENIENT = 0.25
SPELLED = 0.9
REPEATED = 0.05
SHAPED = 0.5
FEW = 100


@dataclass(frozen=True)
class Finding:
    """Something an audit found: where, what in numbers, and what to do; an error pays nobody for being right."""

    level: Level
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def findings(audited: Audited) -> tuple[Finding, ...]:
    """Return what is to be said of a set, errors first."""
    looks = (_informedness, _constant, _rules, _copied, _forms, _lenient, _spelled, _shapes, _repeats, _images, _few)
    found = [Finding(level, audited.where, what) for look in looks for level, what in look(audited)]
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))


def _informedness(audited: Audited) -> Iterator[tuple[Level, str]]:
    rate = audited.informedness
    if rate.low > 0:
        return
    earn = f"right answers earn {audited.spelled.mean:.2f} and golds of other rows {audited.shuffled.mean:.2f}"
    if rate.mean > 0:
        yield "warning", f"{earn}, on {count(rate.n, 'row')} too few to tell them apart: give it more rows"
        return
    if audited.share == 1:
        yield "error", f"{earn}: every gold is {audited.commonest!r}, so nothing is to be learned: leave it out"
        return
    what = f"{earn}, so that its rewards do not tell right from wrong"
    yield "error", f"{what}: set the verifier that these answers ask for (docs/verifiers.md), or leave it out"


def _constant(audited: Audited) -> Iterator[tuple[Level, str]]:
    best = audited.best("constant")
    if best is None or best.rate.mean <= SOME or audited.informedness.mean <= 0:
        return
    what = f"{best.policy} earns {best.rate.mean:.2f} without a look at the image"
    if audited.commonest is not None and audited.share > SOME:
        what += f" ({audited.commonest!r:.40} is the gold of {audited.share:.0%} of the rows)"
    if best.rate.low <= HALF:
        yield "note", f"{what}: a score near it says nothing"
    elif audited.split == "train":
        yield "warning", f"{what}, and RL will find that first: even out the golds, or cap its share"
    else:
        yield "warning", f"{what}: even out the golds, or compare its scores with that"


def _rules(audited: Audited) -> Iterator[tuple[Level, str]]:
    best, constant = audited.best("rule"), audited.best("constant")
    least = max(HALF, 0.0 if constant is None else constant.rate.mean)
    if best is None or best.rate.low <= least or audited.informedness.mean <= 0:
        return
    what = f"{best.policy} earns {best.rate.mean:.2f} without a look at the image"
    if audited.split == "train":
        yield (
            "warning",
            f"{what}, and RL will find that: even out the golds for each kind of question, or cap its share",
        )
    else:
        yield "warning", f"{what}: even out the golds for each kind of question, or compare its scores with that"


def _copied(audited: Audited) -> Iterator[tuple[Level, str]]:
    best, constant = audited.best("copied"), audited.best("constant")
    least = max(HALF, 0.0 if constant is None else constant.rate.mean)
    if best is not None and best.rate.low > least and audited.informedness.mean > 0:
        what = f"{best.policy} earns {best.rate.mean:.2f}: golds stand in their questions"
        yield "warning", f"{what}; take them out, or leave such rows out"


def _forms(audited: Audited) -> Iterator[tuple[Level, str]]:
    if audited.verifiers == ("format",):
        return  # asks for no answer, which J says
    form, wrong = audited.best("form"), audited.best("wrong")
    if form is not None and form.rate.mean > IDLE:
        what = f"{form.policy} earns {form.rate.mean:.2f}, though it is no answer"
        yield "warning", f"{what}: choose a stricter verifier, or leave out rows whose question holds the answer"
    if wrong is not None and wrong.rate.mean > WRONG:
        what = f"{wrong.policy} earns {wrong.rate.mean:.2f}"
        yield "warning", f"{what}: choose a stricter verifier, or lower `tolerance`"


def _lenient(audited: Audited) -> Iterator[tuple[Level, str]]:
    rate = audited.lenient
    if rate is not None and rate.mean > LENIENT and audited.informedness.mean > 0:
        what = f"other answers, taken from other rows, earn {rate.mean:.2f}"
        yield "warning", f"{what}: choose a stricter verifier, lower `tolerance`, or ask for smaller boxes"


def _spelled(audited: Audited) -> Iterator[tuple[Level, str]]:
    missed = audited.missed
    if missed is None or missed.reward >= SPELLED:
        return
    what = f"golds written {missed.spelling} earn {missed.reward:.2f} ({missed.reply!r:.60} for {missed.gold!r:.60})"
    level: Level = "warning" if audited.spelled.mean < SPELLED else "note"
    yield level, f"{what}: choose the verifier that takes them (docs/verifiers.md), or say the form in `instruction`"


def _shapes(audited: Audited) -> Iterator[tuple[Level, str]]:
    shapes = audited.shapes
    if shapes.unseen >= SHAPED * audited.rows:
        what = f"{count(shapes.unseen, 'gold')} are letters ({shapes.letter!r}), and neither options nor questions show"
        yield (
            "warning",
            f"{what} what they stand for: name the column of the options (`options`), unless the images show them",
        )
    if shapes.with_text >= SHAPED * audited.rows:
        what = f"{count(shapes.with_text, 'gold')} are a letter and a text ({shapes.lettered!r:.40}), so that either"
        yield "warning", f"{what} alone earns nothing: choose the verifier choice, with `options`"


def _images(audited: Audited) -> Iterator[tuple[Level, str]]:
    repeats = audited.repeats
    if repeats.most > 1 and repeats.most >= HALF * audited.rows:
        what = f"{repeats.most} of {count(audited.rows, 'row')} show one and the same image, which so tells nothing"
        yield "warning", f"{what}: correct the column of images, or leave it out"
    elif repeats.shared >= REPEATED * audited.rows:
        what = f"{count(repeats.shared, 'row')} ask of an image that another row shows ({repeats.images} in all)"
        yield "note", f"{what}: they count for less than as many with images of their own"
    if repeats.alike and repeats.alike >= HALF * repeats.looked:
        what = f"of {count(repeats.looked, 'image')} compared, {repeats.alike} are copies of one another"
        yield "warning", f"{what}, which so tell nothing: correct the column of images, or leave it out"
    elif repeats.alike:
        what = (
            f"of {count(repeats.looked, 'image')} compared, {repeats.alike} are copies of another one, coded or sized"
        )
        yield "note", f"{what} anew: keep one of each, or split by image"


def _repeats(audited: Audited) -> Iterator[tuple[Level, str]]:
    repeats = audited.repeats
    some = "" if repeats.example is None else f", as {' and '.join(repeats.example)} do"
    if repeats.contradicting:
        what = f"{count(repeats.contradicting, 'row')} contradict another one: same question and image, other gold"
        yield "warning", f"{what}{some}: correct the golds, or keep one of each"
    elif repeats.exact:
        level: Level = "warning" if repeats.share >= REPEATED else "note"
        what = f"{count(repeats.exact, 'row')} repeat question and image of another one{some}"
        yield level, f"{what}: `modomodo data prepare` drops exact duplicates"
    if repeats.copies:
        what = (
            f"of {count(repeats.looked, 'row')} compared, {repeats.copies} repeat a question with a copy of its image"
        )
        yield "note", f"{what}{'' if repeats.exact else some}: keep one of each"


def _few(audited: Audited) -> Iterator[tuple[Level, str]]:
    if audited.rows >= FEW:
        return
    few = f"{count(audited.rows, 'row')} only"
    if audited.split == "train":
        yield (
            "warning",
            f"{few}: they are learned by heart soon, or end early: add rows, raise epochs, or cap its share",
        )
    else:
        yield "note", f"{few}: the standard error of a score is up to {0.5 / audited.rows**0.5:.2f}: add rows"
