"""The page of the mixture strategies, with names that are HTML."""

import pytest
from opening import opened, serious

from modomodo.mixing.strategies import Replay, Spread, Summary
from modomodo.reports.strategies_page import write_strategies

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    names = [f"<b onclick=window.ran=1>{index}" for index in range(9)]
    summaries = [
        Summary(name, n, 5, Spread(5, 0.5, 0.5, 0.4, 0.6), Spread(5, 1.0, 1.0, 0.5, 1.5), None, "<i>problem")
        for name in names
        for n in (8, 16)
    ]
    replay = Replay((), tuple(summaries), ("a <script>window.ran=2</script> note",))
    return write_strategies(replay, tmp_path_factory.mktemp("strategies"), title="<runs>.csv")[1]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_strategies(browser, page, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, page, color_scheme=scheme, width=width) as found:
        assert found.problems == []
        assert found.requests == [page.as_uri()]
        assert found.ask("window.ran === undefined")
        assert found.ask("document.scrollingElement.scrollWidth") <= width
        titles = found.ask(
            "[...document.querySelectorAll('.xtitle, .ytitle, .x2title, .y2title')].map(t => t.textContent)"
        )
        assert set(titles) == {"rank correlation", "regret, in standard deviations", "runs learned from"}
        assert serious(Axe().run(found.page).response) == []
