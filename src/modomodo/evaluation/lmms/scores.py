"""Verdicts on completions: our answer filter, then lmms-eval's own metric where that needs no judge model."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from modomodo.core.rows import Target, Verdict
from modomodo.evaluation.lmms.docs import STANDARD, Doc, row_of
from modomodo.verifiers import grade, parse_reply
from modomodo.verifiers.text import gold_texts

Result = dict[str, Any]
"""`reward`, which lmms-eval averages, and `item`, which it logs: a line of our BENCHMARK.jsonl."""


def chartqa(doc: Doc, results: list[str]) -> Result:
    return _result(doc, results[0], relaxed_verdict)


def infovqa(doc: Doc, results: list[str]) -> Result:
    return _result(doc, results[0], anls_verdict)


def mmmu(doc: Doc, results: list[str]) -> Result:
    return _result(doc, results[0], mmmu_verdict)


def mathvista(doc: Doc, results: list[str]) -> Result:
    # lmms-eval lets a GPT model read the answer out of the completion; ours is tagged, and our verifiers judge it.
    reply = results[0].strip()
    return _logged(doc, reply, grade(reply, row_of(doc).target, STANDARD))


def relaxed_verdict(answer: str, target: Target) -> Verdict:
    """Return lmms-eval's relaxed accuracy: within 5 % of the gold, or the same text."""
    from lmms_eval.tasks.chartqa.utils import relaxed_correctness  # pyright: ignore[reportMissingImports]

    right = any(relaxed_correctness(answer, text) for text in _golds(target))
    return Verdict.partial(float(right), answer, "by lmms-eval's relaxed_correctness")


def anls_verdict(answer: str, target: Target) -> Verdict:
    """Return lmms-eval's similarity to the nearest accepted text, 0 below 0.5."""
    from lmms_eval.api.metrics import anls  # pyright: ignore[reportMissingImports]

    return Verdict.partial(float(anls(_golds(target), [answer])["anls"]), answer, "by lmms-eval's anls")


def mmmu_verdict(answer: str, target: Target) -> Verdict:
    """Return what lmms-eval's rules of MMMU read out of the answer, right or wrong.

    Where its parser finds no option it guesses one at random; such a completion is unparsed here and earns nothing.
    """
    from lmms_eval.tasks.mmmu import utils  # pyright: ignore[reportMissingImports]

    if target.verifier != "choice":
        right = utils.eval_open(list(_golds(target)), utils.parse_open_response(answer))
        return Verdict.partial(float(right), answer, "by lmms-eval's eval_open")
    texts, letters = utils.get_multi_choice_info(list(target.options))
    named = utils.parse_multi_choice_response(answer, _NoGuess(letters), texts)
    if not named:
        return Verdict.unparsed("names no option; lmms-eval would guess one", answer)
    return Verdict.partial(float(utils.eval_multi_choice(target.value, named)), answer, f"lmms-eval reads {named}")


class _NoGuess(list[str]):
    """Letters to look for, of which `random.choice`, the only one to ask by index, gets none."""

    def __getitem__(self, index: object) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ""


def _golds(target: Target) -> tuple[str, ...]:
    golds = gold_texts(target)
    assert not isinstance(golds, str), golds  # preparing the set has proved every gold
    return golds


def _result(doc: Doc, text: str, verdict_of: Callable[[str, Target], Verdict]) -> Result:
    reply = text.strip()
    target = row_of(doc).target
    parsed = parse_reply(reply)
    verdict = Verdict.unparsed(parsed) if isinstance(parsed, str) else verdict_of(parsed.answer, target)
    ours = grade(reply, target, STANDARD)
    if ours.reward != verdict.reward:
        # What the two make of an answer differs in known cases; an item says so itself.
        why = f"; modomodo's own verifier gives {ours.reward}: {ours.reason or ours.status}"
        verdict = replace(verdict, reason=verdict.reason + why)
    return _logged(doc, reply, verdict)


def _logged(doc: Doc, reply: str, verdict: Verdict) -> Result:
    return {"reward": verdict.reward or 0.0, "item": {"row_id": doc["id"], "reply": reply, **asdict(verdict)}}
