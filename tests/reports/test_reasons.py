"""Why a domain was dropped or raised: the numbers are the pilots' own, and nothing is explained that was not found."""

import json
from dataclasses import replace

import fake_study
import pytest

from modomodo.core.mixture import Mixture
from modomodo.reports import read_evidence
from modomodo.reports.sections.answer import answer_section, conclusion, is_told_apart
from modomodo.reports.sections.reasons import Groups, Reason, domain_reasons
from modomodo.study.pipeline import read_study, study_recommendation
from modomodo.study.results import FinishedRun

REASON = Reason("palette", "dropped", 0.0, 0.2, Groups(0.93, 0.21, 0.02), (0.05, 0.02, 0.08), 1.0)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    study = fake_study.make_study(tmp_path_factory.mktemp("reasons") / "study")
    with pytest.MonkeyPatch.context() as patch:
        fake_study.write_whole(study, patch)
    return read_evidence(study)


def test_a_solved_domain_is_explained_by_its_advantages():
    assert REASON.sentence == (
        "palette: dropped (0.000 instead of 0.200). 93% of its groups in the pilots all earned the same and taught "
        "nothing: it is 21% of the pilots' prompts and 2% of those that teach. Without it, equal shares of the others "
        "are expected to gain 0.050 on out (90 % interval +0.020 to +0.080)."
    )


def test_what_cannot_be_told_is_not_told():
    unsure = replace(REASON, groups=Groups(0.1, 0.2, 0.2), without=(-0.01, -0.03, 0.01))
    assert "so it cannot be told" in unsure.sentence
    assert "taught nothing" not in unsure.sentence
    assert "lose 0.010" in unsure.sentence


def test_a_share_that_is_kept_needs_no_comparison():
    assert replace(REASON, change="kept", share=0.19).sentence.startswith("palette: kept (0.190). ")


def test_rows_that_run_out_are_a_reason():
    assert "last for no more than 0.150 of a run" in replace(REASON, share=0.15, lasting=0.15).sentence
    assert "last for" not in replace(REASON, share=0.05, lasting=0.15).sentence


@pytest.mark.parametrize(("share", "change"), [(0.0, "dropped"), (0.1, "lowered"), (0.21, "kept"), (0.4, "raised")])
def test_a_share_has_its_word(evidence, share, change):
    others = dict.fromkeys(evidence.domains[1:], (1 - share) / 4)
    mixture = Mixture.of({evidence.domains[0]: share, **others})
    changed = replace(evidence, recommendation=replace(evidence.recommendation, mixture=mixture))
    assert {one.domain: one.change for one in domain_reasons(changed)}[evidence.domains[0]] == change


def test_advantages_are_counted_over_all_pilots(evidence):
    flat, groups, of_all, teaching = 0.0, 0, 0, 0.0
    for run in evidence.of_kind("pilot"):
        for line in (run.folder / "steps.jsonl").read_text().splitlines():
            for name, step in json.loads(line)["domains"].items():
                of_all += step["prompts"]
                teaching += step["prompts"] * (1 - step["zero_advantage"])
                if name == "detect":
                    flat, groups = flat + step["prompts"] * step["zero_advantage"], groups + step["prompts"]
    (reason,) = (one for one in domain_reasons(evidence) if one.domain == "detect")
    assert reason.groups.flat == pytest.approx(flat / groups)
    assert reason.groups.asked == pytest.approx(groups / of_all)
    assert reason.groups.taught == pytest.approx((groups - flat) / teaching)


def test_leaving_out_is_the_difference_of_two_mixtures(evidence):
    (reason,) = (one for one in domain_reasons(evidence) if one.domain == "science")
    without, equal = Mixture.exclude_one("science", evidence.domains), evidence.equal
    means = [
        float(evidence.fitted.mean(mixture.vector(evidence.domains)[None], name="out")[0])
        for mixture in (without, equal)
    ]
    assert reason.without[0] == pytest.approx(means[0] - means[1])
    assert reason.without[1] < reason.without[0] < reason.without[2]


def test_reasons_are_given_only_for_what_was_confirmed(evidence):
    whole = evidence.confirmation.objective
    for gain, real, told in ((0.1, True, True), (-0.1, True, False), (0.1, False, False)):
        objective = replace(whole, real=real, aggregate=replace(whole.aggregate, gain=gain))
        changed = replace(evidence, confirmation=replace(evidence.confirmation, objective=objective))
        assert is_told_apart(changed) == told
        lines = conclusion(changed)
        assert any(line.startswith("  detect:") for line in lines) == told
        assert ("equal shares are the answer to keep" in lines[-1]) != told


def test_equal_shares_that_end_early_are_told(evidence):
    def ended(run: FinishedRun) -> FinishedRun:
        early = any(label.startswith("confirm:equal") for label in run.labels)
        return replace(run, steps=15, exhausted="science") if early else run

    changed = replace(evidence, runs=tuple(ended(run) for run in evidence.runs))
    told = "Equal shares ended after 15 of 60 steps, when science ran out of rows: "
    assert any(line.startswith(told) for line in conclusion(changed))
    assert told in str(answer_section(changed).body)
    assert not any("ended after" in line for line in conclusion(evidence))


def test_without_a_confirmation_there_is_no_conclusion(tmp_path):
    study = fake_study.make_study(tmp_path / "study")
    fake_study.write_pilots(study)
    study_recommendation(read_study(study))
    assert conclusion(read_evidence(study)) == []


def test_recommended_equal_shares_are_the_answer(evidence):
    equal = replace(evidence.recommendation, mixture=evidence.equal)
    (line,) = conclusion(replace(evidence, recommendation=equal, confirmation=None))
    assert line.startswith("The recommended mixture is equal shares.")
