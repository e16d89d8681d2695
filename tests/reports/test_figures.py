import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modomodo.core.mixture import Mixture
from modomodo.mixing.confirmation import confirm
from modomodo.reports import Gain, curve_figure, gains_figure, mixture_figure, read_curves
from modomodo.reports.figures.of_runs import measured_gain
from modomodo.reports.figures.style import INK, MUTED, PALETTE, domain_colours, domain_dash
from modomodo.reports.html.markup import el, json_block, plot_label, plot_text


def write_steps(path: Path, steps: int, *, cut: bool = False) -> None:
    part = {"tokens": 9, "accuracy": 0.0, "unparsed": 0.0, "ungradable": 0}
    lines = [
        {
            "step": step,
            "seconds": 1.0,
            "requested": {},
            "domains": {
                "count": {**part, "prompts": 1, "completions": 4, "reward": 1.0, "format": 0.5, "zero_advantage": 1.0},
                **(
                    {
                        "colour": {
                            **part,
                            "prompts": 3,
                            "completions": 12,
                            "reward": 2.0,
                            "format": 1.0,
                            "zero_advantage": 0.0,
                        }
                    }
                    if step % 2
                    else {}
                ),
            },
        }
        for step in range(1, steps + 1)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_text(text + ('{"step": 99, "dom' if cut else ""))


def test_curves_have_one_point_for_each_step_of_a_short_run(tmp_path):
    write_steps(tmp_path / "steps.jsonl", 3, cut=True)
    curves = read_curves(tmp_path)
    assert curves is not None
    assert curves.bin_steps == 1
    assert [point.reward for point in curves.points["colour"]] == [2.0, None, 2.0]
    assert [point.effective for point in curves.points["colour"]] == [1.0, None, 1.0]
    assert [point.effective for point in curves.points["count"]] == [0.0, None, 0.0]


def test_curves_of_a_long_run_are_means_over_bins(tmp_path):
    write_steps(tmp_path / "steps.jsonl", 100)
    curves = read_curves(tmp_path)
    assert curves is not None
    assert curves.bin_steps == 5
    assert [point.step for point in curves.points["count"]][:2] == [3, 8]
    assert len(curves.points["count"]) == 20
    assert curves.points["colour"][1].zero_advantage == 0


def test_no_steps_are_no_curves(tmp_path):
    assert read_curves(tmp_path) is None


def test_curve_figure_has_a_line_for_each_domain_in_its_colour(tmp_path):
    write_steps(tmp_path / "steps.jsonl", 3)
    curves = read_curves(tmp_path)
    assert curves is not None
    figure: Any = curve_figure(curves, measure="reward", domains=("detect", "colour", "count"))
    assert [(trace.name, trace.line.color) for trace in figure.data] == [("colour", PALETTE[1]), ("count", PALETTE[2])]
    assert figure.data[0].y == (2.0, None, 2.0)


def test_more_domains_than_colours_differ_by_dash():
    names = [f"domain {index}" for index in range(9)]
    looks = {(domain_colours(names)[name], domain_dash(names)[name]) for name in names}
    assert len(looks) == 9


def test_mixture_figure_names_domains_as_text():
    figure: Any = mixture_figure(Mixture.of({"<i>a": 0.7, "b": 0.3}), reference=Mixture.of({"<i>a": 0.5, "b": 0.5}))
    assert figure.layout.yaxis.ticktext == ("&lt;i&gt;a<br><b>70.0%</b>", "b<br><b>30.0%</b>")
    assert list(figure.data[1].x) == [0.5, 0.5]


def test_gains_figure_is_grey_where_the_widest_interval_holds_zero():
    gains = [
        Gain("predicted", 0.05, 0.01, 0.09),
        Gain("unsure", 0.01, -0.02, 0.04),
        Gain("of 90 % alone", 0.03, 0.01, 0.05, -0.03, 0.07),
        Gain("measured", -0.03, -0.04, -0.02, -0.05, -0.01),
        Gain("all seeds alike", 0.02, 0.02, 0.02, 0.02, 0.02),
    ]
    figure: Any = gains_figure(gains)
    bars = [trace.line.color for trace in figure.data if trace.line.width == 6]
    assert bars == [INK, MUTED, MUTED, INK, MUTED]
    low, high = figure.layout.xaxis.range
    assert low < -0.05
    assert high > 0.09


def test_a_bar_is_as_decided_as_the_sentence():
    rng = np.random.default_rng(0)
    for shift in np.linspace(-0.03, 0.03, 25):
        pairs_SB = rng.normal(shift, 0.02, (4, 1))
        found = confirm(pairs_SB, equal_SB=np.zeros((4, 1)), seeds=range(4), benchmarks=("charts",))
        assert measured_gain(found.aggregate).decided is found.real


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ("two\nlines &amp;", "two lines &amp;amp;"),
        ("x" * 70, "x" * 59 + "…"),
        ("bell\x07", "bell␇"),
        ("$a$", "&#36;a&#36;"),
    ],
)
def test_plot_text(text, shown):
    assert plot_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 24, "a" * 24),
        ("a" * 25, "a" * 23 + "…"),
        ("W" * 24, "W" * 13 + "…"),
        ("数" * 24, "数" * 11 + "…"),
        ("<b>" * 3, "&lt;b&gt;" * 3),
    ],
)
def test_labels_are_cut_by_their_width(text, shown):
    assert plot_label(text) == shown


def test_elements_escape_text_and_attributes():
    found = el("p", "<script>", el("b", "&"), None, title='"quoted"', data_sort="<1>")
    assert found.text == '<p title="&quot;quoted&quot;" data-sort="&lt;1&gt;">&lt;script&gt;<b>&amp;</b></p>'


def test_json_cannot_end_its_script():
    text = json_block({"x": "</script><!--&"}).text
    inside = text.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside) == {"x": "</script><!--&"}


def test_a_run_whose_mixture_moves_has_curves_of_the_shares_asked_for_and_drawn(tmp_path):
    write_steps(tmp_path / "steps.jsonl", 3)
    assert [*read_curves(tmp_path).measures] == ["reward", "format", "zero_advantage", "effective"]
    lines = [json.loads(line) for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    for line, share in zip(lines, (0.5, 0.25, 0.25), strict=True):
        line["requested"] = {"count": share, "colour": 1 - share}
    (tmp_path / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    curves = read_curves(tmp_path)
    assert [*curves.measures][4:] == ["requested", "realised"]
    assert [point.requested for point in curves.points["count"]] == [0.5, 0.25, 0.25]
    assert [point.realised for point in curves.points["colour"]] == [0.75, 0.0, 0.75]
    figure: Any = curve_figure(curves, measure="requested", domains=("colour", "count"))
    assert figure.layout.title.text == "Requested shares"
    assert list(figure.data[1].y) == [0.5, 0.25, 0.25]
