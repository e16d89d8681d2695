"""Each rule's weights on a log made by hand, computed here step by step from its paper's formula."""

import math

import pytest

from modomodo.core.errors import ModomodoError
from modomodo.mixing.online import RULES, Seen, find_rule, settings_of

EQUAL = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
UNEVEN = {"a": 0.5, "b": 0.3, "c": 0.2}


def seen(prompts: int, *, accuracy: float = 0.5, advantage: float = 0.5, zero: float = 0.0) -> Seen:
    return Seen(prompts, 4 * prompts, accuracy, advantage, zero)


LOG = [
    {"a": seen(4, accuracy=0.2, advantage=0.6), "b": seen(3, accuracy=0.9, advantage=0.2, zero=2 / 3)},
    {"a": seen(2, accuracy=0.5, advantage=0.8, zero=0.5), "c": seen(1, accuracy=0.1, advantage=0.0, zero=1.0)},
    {"b": seen(5, accuracy=0.95, advantage=0.1, zero=0.8), "c": seen(2, accuracy=0.4, advantage=0.7)},
]


def softmax(scores: dict[str, float], start: dict[str, float]) -> dict[str, float]:
    weights = {name: start[name] * math.exp(score) for name, score in scores.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


@pytest.mark.parametrize("start", [EQUAL, UNEVEN], ids=["equal", "uneven"])
def test_dump_is_the_softmax_of_upper_confidence_bounds(start):
    drawn = {"a": 24, "b": 32, "c": 12}
    # The last 20 completions: all 8 of a's second step and 12 of its first 16; 20 of b's third; all 12 of c.
    learnable = {"a": (8 * 0.8 + 12 * 0.6) / 20, "b": 0.1, "c": (8 * 0.7 + 4 * 0.0) / 12}
    ucb = {name: learnable[name] + math.sqrt(2 * math.log(68 + 1) / (drawn[name] + 1)) for name in start}
    expected = softmax({name: value / 0.1 for name, value in ucb.items()}, start)
    assert RULES["dump"](start, LOG, window=20) == pytest.approx(expected)
    assert settings_of(RULES["dump"], "dump", {}) == {"window": 300, "temperature": 0.1}


@pytest.mark.parametrize("start", [EQUAL, UNEVEN], ids=["equal", "uneven"])
def test_sec_is_the_softmax_of_values_learned_by_td0(start):
    value = {
        "a": 0.5 * 0.8 + 0.5 * (0.5 * 0.6),
        "b": 0.5 * 0.1 + 0.5 * (0.5 * 0.2),
        "c": 0.5 * 0.7 + 0.5 * (0.5 * 0.0),
    }
    sharper = softmax({name: one / 0.2 for name, one in value.items()}, start)
    assert RULES["sec"](start, LOG) == pytest.approx(sharper)
    assert RULES["sec"](start, LOG, temperature=1.0) == pytest.approx(softmax(value, start))


def adamw(logits: dict[str, float], gradients: list[dict[str, float]], *, rate: float, decay: float) -> None:
    """Take the last of AdamW's steps on the logits, from all gradients so far (Loshchilov and Hutter 2019)."""
    count = len(gradients)
    for name in logits:
        past = [one[name] for one in gradients]
        first = sum(0.1 * 0.9 ** (count - 1 - k) * g for k, g in enumerate(past)) / (1 - 0.9**count)
        second = sum(0.001 * 0.999 ** (count - 1 - k) * g * g for k, g in enumerate(past)) / (1 - 0.999**count)
        logits[name] -= rate * decay * logits[name] + rate * first / (math.sqrt(second) + 1e-8)


@pytest.mark.parametrize("start", [EQUAL, UNEVEN], ids=["equal", "uneven"])
def test_mt_grpo_follows_its_subroutine_1_and_inflates_what_teaches_nothing(start):
    # I_d + 0.2 J_d by step, by hand: changes are clipped to 0.1, and 0 where there is nothing to compare with.
    signals = [
        {"a": 0.2 * 0.2, "b": 0.2 * 0.9, "c": 0.0},
        {"a": 0.1 + 0.2 * 0.5, "b": 0.2 * 0.9, "c": 0.2 * 0.1},
        {"a": 0.2 * 0.5, "b": 0.05 + 0.2 * 0.95, "c": 0.1 + 0.2 * 0.4},
    ]
    logits = {name: math.log(share) for name, share in start.items()}
    gradients = []
    for signal in signals:
        z = softmax(logits, dict.fromkeys(logits, 1.0))
        mean = sum(z[name] * signal[name] for name in z)
        gradients.append({name: z[name] * (signal[name] - mean) for name in z})
        adamw(logits, gradients, rate=0.025, decay=1e-5)
    idle = {"a": 0.1 * 0.5, "b": 0.9 * (0.1 * 2 / 3) + 0.1 * 0.8, "c": 0.9 * (0.1 * 1.0)}
    z = softmax(logits, dict.fromkeys(logits, 1.0))
    inflated = {name: z[name] * min(1 / (1 - idle[name]), 5.0) for name in z}
    total = sum(inflated.values())
    expected = {name: weight / total for name, weight in inflated.items()}
    assert RULES["mt-grpo"](start, LOG) == pytest.approx(expected, rel=1e-9)


def test_mt_grpo_inflates_no_more_than_it_may():
    log = [{"a": seen(4, zero=1.0), "b": seen(4)}] * 200
    found = RULES["mt-grpo"]({"a": 0.5, "b": 0.5}, log, rate=1e-12)
    assert found["a"] / found["b"] == pytest.approx(5.0)


@pytest.mark.parametrize("start", [EQUAL, UNEVEN], ids=["equal", "uneven"])
def test_solved_moves_the_share_that_teaches_nothing_to_the_others(start):
    teaches = {"a": (5 + 1) / (6 + 1), "b": (2 + 1) / (8 + 1), "c": (2 + 1) / (3 + 1)}
    left = {name: start[name] * teaches[name] for name in start}
    expected = {name: share / sum(left.values()) for name, share in left.items()}
    assert RULES["solved"](start, LOG) == pytest.approx(expected)
    recent = RULES["solved"](start, LOG, window=2)  # b's third step alone
    left["b"], left["c"], left["a"] = start["b"] * 2 / 6, start["c"], start["a"] * 2 / 3
    assert recent == pytest.approx({name: left[name] / sum(left.values()) for name in start})


@pytest.mark.parametrize("name", ["dump", "sec", "mt-grpo", "solved"])
def test_without_a_log_a_rule_keeps_to_the_start(name):
    assert RULES[name](UNEVEN, []) == pytest.approx(UNEVEN)


def test_a_rule_of_another_package_is_found_by_its_entry_point(monkeypatch):
    from importlib.metadata import EntryPoint, EntryPoints

    from modomodo.core import plugins
    from modomodo.mixing.online import registry

    points = EntryPoints([EntryPoint("mine", "modomodo.mixing.online.rules:solved", registry.GROUP)])
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    plugins.plugin_names.cache_clear()
    assert find_rule("mine") is RULES["solved"]
    with pytest.raises(ModomodoError, match="unknown rule 'minee'; did you mean mine"):
        find_rule("minee")
    monkeypatch.undo()
    plugins.plugin_names.cache_clear()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"windw": 3}, "no setting 'windw'; did you mean window"),
        ({"window": 0}, "window is 0; write a whole number, 1 or more"),
        ({"window": "many"}, "window is 'many'; write a whole number"),
        ({"temperature": -1}, "temperature is -1; write a number, greater than 0"),
    ],
)
def test_a_wrong_setting_is_refused_in_plain_words(given, says):
    with pytest.raises(ModomodoError, match=says):
        settings_of(RULES["dump"], "dump", given)
