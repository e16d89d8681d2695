"""The report in light and dark, on narrow screens, on paper, and for who sees or moves otherwise."""

import re

import pytest
from opening import VISIBLE, contrast, opened, serious

from modomodo.core.mixture import Mixture
from modomodo.reports import mixture_figure, scores_figure
from modomodo.reports.figures.of_runs import Dot
from modomodo.reports.figures.style import DIVERGING
from modomodo.reports.html.blocks import figure_block
from modomodo.reports.html.document import document
from modomodo.reports.html.markup import el

pytestmark = pytest.mark.browser

SCHEMES = ("light", "dark")
COLOURS = """(() => {
  const style = (what, key) => getComputedStyle(document.querySelector(what))[key];
  return {page: style("body", "backgroundColor"), section: style("section", "backgroundColor"),
    ink: style("body", "color"), note: style("figcaption", "color"), link: style("main a", "color"),
    figure: style(".plot svg.main-svg", "background"), tick: style(".plot .xtick text", "fill"),
    title: style(".plot .xtitle", "fill")};
})()"""
WIDTHS = f"""{VISIBLE}.map(plot => [plot.querySelector('svg.main-svg').getBoundingClientRect().width,
  plot.getBoundingClientRect().width])"""
HEAT = """(() => {
  const plots = [...document.querySelectorAll(".plot")].filter(plot => plot.data?.[0].type === "heatmap");
  const texts = plots.flatMap(plot => [...plot.querySelectorAll(".heatmap-label text")]);
  const ends = plots[0].data[0].colorscale.map(stop => stop[1]);
  return {texts: texts.map(text => getComputedStyle(text).fill), ends};
})()"""


def colours(browser, path, scheme: str) -> dict[str, str]:
    with opened(browser, path, color_scheme=scheme) as found:
        return found.ask(COLOURS)


def test_the_dark_changes_page_and_figures_and_both_are_read_well(browser, whole):
    light, dark = (colours(browser, whole, scheme) for scheme in SCHEMES)
    assert all(light[name] != dark[name] for name in light)
    for seen in (light, dark):
        assert seen["section"] in seen["figure"]  # no seam between a figure and its section
        for name in ("ink", "note", "link", "tick", "title"):
            assert contrast(seen[name], seen["section"]) >= 4.5, name


def test_a_change_of_theme_redraws_the_figures(browser, whole):
    with opened(browser, whole, color_scheme="light") as found:
        before = found.ask(COLOURS)
        found.page.emulate_media(color_scheme="dark")
        found.wait(f"{COLOURS}.tick !== '{before['tick']}'")
        assert found.ask(COLOURS) == colours(browser, whole, "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_in_the_heat_map_are_read_on_every_cell(browser, whole, scheme):
    with opened(browser, whole, color_scheme=scheme) as found:
        heat = found.ask(HEAT)
    assert len(heat["texts"]) == 25 + 10  # domains left out, and pairs of domains
    assert len(heat["ends"]) == len(DIVERGING)
    for end in heat["ends"]:
        assert all(contrast(text, rgb(end)) >= 4.5 for text in heat["texts"]), end


@pytest.mark.parametrize("width", [390, 500, 1280])
def test_the_page_never_scrolls_sideways(browser, either, width):
    with opened(browser, either, width=width) as found:
        assert found.ask("document.scrollingElement.scrollWidth") <= width
        wide = found.ask(f"{VISIBLE}.filter(plot => plot.getBoundingClientRect().right > innerWidth).length")
        assert wide == 0


@pytest.fixture(scope="module")
def shares(tmp_path_factory):
    """A page of one mixture whose domains have wide and long names."""
    mixture = Mixture.of({"W" * 40: 0.6, "数学图表问题" * 5: 0.3, "a_name_that_goes_on_" * 4: 0.1})
    path = tmp_path_factory.mktemp("shares") / "page.html"
    block = figure_block(mixture_figure(mixture, reference=Mixture.uniform(mixture.domains)))
    path.write_text(document("shares", el("main", el("section", block))))
    return path


@pytest.mark.parametrize("page", ["whole", "hostile", "shares"])
def test_titles_of_axes_are_whole_on_narrow_screens(browser, page, request):
    with opened(browser, request.getfixturevalue(page), width=390) as found:
        cut = found.ask(
            f"{VISIBLE}.flatMap(plot => [...plot.querySelectorAll('.xtitle')].map(title => [plot, title]))"
            ".filter(([plot, title]) => title.getBoundingClientRect().right > plot.getBoundingClientRect().right + 1)"
            ".map(([plot, title]) => `${plot.ariaLabel.slice(0, 40)}: ${title.textContent}`)"
        )
        assert cut == []


@pytest.mark.parametrize("width", [390, 500])
def test_wide_tables_scroll_in_their_box_and_say_so(browser, whole, width):
    with opened(browser, whole, width=width) as found:
        boxes = found.ask(
            "[...document.querySelectorAll('.scroll')].filter(box => box.offsetParent).map(box => ({"
            "over: box.scrollWidth - box.clientWidth, hint: getComputedStyle(box, '::before').content,"
            "tab: box.tabIndex, name: box.ariaLabel}))"
        )
        assert any(box["over"] > 1 for box in boxes)
        for box in boxes:
            assert ("scroll" in box["hint"]) == (box["over"] > 1), box
            assert (box["tab"] == 0) == (box["over"] > 1), box


def test_navigation_and_small_tables_are_read_whole_on_narrow_screens(browser, whole):
    with opened(browser, whole, width=390) as found:
        ends = found.ask("[...document.querySelectorAll('nav a')].map(link => link.getBoundingClientRect().right)")
        assert max(ends) <= 390
        over = found.ask(
            "[...document.querySelectorAll(':is(#prediction, #confirmation) .scroll')]"
            ".map(box => box.scrollWidth - box.clientWidth)"
        )
        assert over == [0, 0, 0]


def test_the_axis_of_one_run_is_read_whole(browser, tmp_path):
    figure = scores_figure([Dot("one", Mixture.of({"a": 1.0}), 0.0, 0.1)], title="charts", bounds=(0.0, 1.0))
    (tmp_path / "page.html").write_text(document("one", el("main", el("section", figure_block(figure)))))
    with opened(browser, tmp_path / "page.html", width=390) as found:
        ticks, title = found.ask(
            "[Math.max(...[...document.querySelectorAll('.xtick')].map(one => one.getBoundingClientRect().bottom)),"
            "document.querySelector('.xtitle').getBoundingClientRect().top]"
        )
        assert ticks <= title


@pytest.mark.parametrize("width", [390, 500])
def test_the_held_out_table_is_read_whole_on_narrow_screens(browser, whole, width):
    with opened(browser, whole, width=width) as found:
        box = found.page.locator("#answer .scroll")
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0
        assert box.evaluate("box => parseFloat(getComputedStyle(box.querySelector('td')).fontSize)") >= 12
        heads = box.evaluate(
            "box => [...box.querySelectorAll('td')].map(td => getComputedStyle(td, '::before').content)"
        )
        names = ["before training", "equal shares", "recommended", "gain", "95 % interval"]
        assert heads == [f'"{name}"' for name in names]


def test_a_wide_table_scrolls_by_keyboard(browser, whole):
    with opened(browser, whole, width=390) as found:
        box = found.page.locator("#scores .scroll")
        box.focus()
        found.page.keyboard.press("ArrowRight")
        found.wait("document.querySelector('#scores .scroll').scrollLeft > 0")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_paper_is_white_and_has_every_section(browser, either, scheme):
    with opened(browser, either, color_scheme=scheme) as found:
        printed = found.page.pdf(format="A4", print_background=True)
        assert printed.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) >= 4
        assert found.problems == []
        found.page.emulate_media(media="print")
        wide = found.ask(f"dispatchEvent(new Event('beforeprint')) && {WIDTHS}")  # at once: paper does not wait
        assert all(drawn <= room + 1 for drawn, room in wide)
        seen = found.ask(COLOURS)
        assert contrast(seen["ink"], "rgb(255, 255, 255)") >= 4.5
        assert contrast(seen["tick"], "rgb(255, 255, 255)") >= 4.5
        assert not found.page.locator("nav").is_visible()
        found.ask("dispatchEvent(new Event('afterprint'))")
        found.page.emulate_media(media="screen")
        assert found.page.locator("nav").is_visible()
        found.wait(f"{WIDTHS}.every(([drawn, room]) => Math.abs(drawn - room) < 2)")


def test_nothing_moves_for_who_wants_no_motion(browser, whole):
    with opened(browser, whole, reduced_motion="reduce") as found:
        moving = found.ask(
            "[...document.querySelectorAll('body *')].filter(one => { const style = getComputedStyle(one);"
            " return parseFloat(style.transitionDuration) > 0 || parseFloat(style.animationDuration) > 0; }).length"
        )
        assert moving == 0
        assert found.ask("document.getAnimations().length") == 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious(browser, either, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, either, color_scheme=scheme, width=width) as found:
        assert serious(Axe().run(found.page).response) == []


def test_sentences_and_tables_are_there_without_javascript(browser, whole):
    made = browser.new_context(java_script_enabled=False)
    page = made.new_page()
    page.goto(whole.as_uri())
    assert "Figures, menus and sorting need JavaScript" in page.inner_text("header.top")
    assert page.locator("#scores tbody tr").count() == 21
    made.close()


def rgb(colour: str) -> str:
    """Return `#rrggbb` as `rgb(r, g, b)`; what is no such colour as it is."""
    if not colour.startswith("#"):
        return colour
    return f"rgb({', '.join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))})"
