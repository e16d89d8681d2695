"""Opening the report, its figures, menus, links and tables, by mouse and by keyboard."""

from urllib.parse import unquote, urlparse

import pytest
from opening import VISIBLE, opened

pytestmark = pytest.mark.browser

COLUMN = """([...document.querySelectorAll('.sortable tbody tr')].map(row => row.cells[%d].dataset.sort ?? ''))"""


def test_opens_by_itself_and_asks_for_nothing_else(browser, either):
    with opened(browser, either) as found:
        for index in range(len(found.page.query_selector_all(".chooser select"))):
            choose_last(found, index)
        assert found.problems == []
        assert {url.split("#")[0] for url in found.requests} == {either.as_uri()}
        assert found.ask("window.ran === undefined")
        assert found.ask("document.querySelectorAll('iframe, object, embed, link').length") == 0
        pictures = found.ask("[...document.images].map(image => [image.src.slice(0, 11), image.naturalWidth > 0])")
        assert all(one == ["data:image/", True] for one in pictures)
        assert len(pictures) >= (either.parent.name.startswith("whole") and 10)
        assert found.ask("document.querySelectorAll('script[src]').length") == 0


def test_every_visible_figure_is_drawn(browser, either):
    with opened(browser, either) as found:
        marks = found.ask(
            f"{VISIBLE}.map(plot => [plot.ariaLabel, plot.offsetWidth, "
            "plot.querySelectorAll('svg.main-svg path, svg.main-svg image').length])"
        )
        assert len(marks) > 10
        for name, width, paths in marks:
            assert width > 150, name
            assert paths > 2, name


def test_menus_show_their_panel_and_draw_its_figures(browser, either):
    with opened(browser, either) as found:
        menus = len(found.page.query_selector_all(".chooser select"))
        assert menus >= 4
        for index in range(menus):
            last = choose_last(found, index)
            hidden = found.ask(
                f"[...document.querySelectorAll('.chooser')[{index}].querySelectorAll(':scope > .panel')]"
                ".map(panel => panel.offsetParent === null)"
            )
            assert [place for place, away in enumerate(hidden) if not away] == [last]


def test_menus_answer_the_keyboard(browser, whole):
    with opened(browser, whole) as found:
        found.page.locator("#scores select").focus()
        found.page.keyboard.press("ArrowDown")
        assert found.ask("document.querySelector('#scores select').selectedIndex") == 1
        assert found.page.locator("#scores .panel").nth(1).is_visible()
        assert not found.page.locator("#scores .panel").nth(0).is_visible()


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
def test_every_head_of_the_table_sorts(browser, whole, hand):
    with opened(browser, whole) as found:
        heads = found.page.locator(".sortable th button")
        count = heads.count()
        assert count >= 8
        for column in range(count):
            orders = [press(found, column, hand) for _ in range(2)]
            texts = [found_ for found_ in found.ask(COLUMN % column) if found_]
            numbers = all(is_number(text) for text in texts)
            assert orders == (["descending", "ascending"] if numbers else ["ascending", "descending"])
            if numbers:
                assert [float(text) for text in texts] == sorted(map(float, texts))
            press(found, column, hand)
            again = [text for text in found.ask(COLUMN % column) if text]
            assert again[0] == texts[-1] or numbers
            assert found.ask("document.querySelectorAll('th[aria-sort]').length") == 1


def test_what_lacks_a_score_comes_last_in_either_order(browser, whole):
    with opened(browser, whole) as found:
        names = found.ask("[...document.querySelectorAll('.sortable th button')].map(button => button.textContent)")
        column = names.index("general")  # held out: pilots have no score of it
        for _ in range(2):
            press(found, column, "mouse")
            texts = found.ask(COLUMN % column)
            scores = [text for text in texts if text]
            assert 0 < len(scores) < len(texts)
            assert texts[: len(scores)] == scores


def test_links_lead_to_folders_of_runs_and_to_sections(browser, either):
    with opened(browser, either) as found:
        links = set(found.ask("[...document.querySelectorAll('main a')].map(link => link.href)"))
        runs = [link for link in links if "#" not in link]
        assert len(runs) > 10
        for link in runs:
            assert (either.parent / unquote(urlparse(link).path) / "result.json").is_file(), link
        lost = found.ask(
            "[...document.querySelectorAll('a[href^=\"#\"]')]"
            ".filter(link => !document.getElementById(link.getAttribute('href').slice(1))).map(link => link.href)"
        )
        assert lost == []


def test_a_figure_can_be_saved_by_keyboard(browser, whole):
    with opened(browser, whole, accept_downloads=True) as found:
        button = found.page.locator("figure .save").first
        button.focus()
        assert button.evaluate("button => getComputedStyle(button).opacity") != "0"
        with found.page.expect_download() as saved:
            found.page.keyboard.press("Enter")
        assert saved.value.suggested_filename.endswith(".svg")


def choose_last(found, index: int) -> int:
    """Choose the last entry of a menu, and return its place."""
    select = found.page.locator(".chooser select").nth(index)
    last = select.locator("option").count() - 1
    select.select_option(index=last)
    found.drawn()
    return last


def press(found, column: int, hand: str) -> str:
    """Press a head of the table and return the order that it then says."""
    button = found.page.locator(".sortable th button").nth(column)
    if hand == "mouse":
        button.click()
    else:
        button.focus()
        found.page.keyboard.press("Enter" if column % 2 else "Space")
    return found.page.locator(".sortable thead th").nth(column).get_attribute("aria-sort")


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
