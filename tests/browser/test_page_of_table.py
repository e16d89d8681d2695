"""The report of a bare table of runs, with names that are HTML."""

import numpy as np
import pytest
from opening import opened, serious

from modomodo import Runs, fit, recommend
from modomodo.mixing import write_runs
from modomodo.reports import report_of_runs

pytestmark = pytest.mark.browser
NAMES = ("charts", "<img src=x onerror=window.ran=1>", "%{x} 'quoted' \"twice\"", "a_long_name_" * 8)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    X_ND = np.random.default_rng(0).dirichlet(np.ones(4), size=16)
    scores = np.stack([0.3 + X_ND[:, 0] * X_ND[:, 1], 0.5 + 0.2 * X_ND[:, 2]], axis=1)
    runs = Runs.of(X_ND, y_NB=scores, se_NB=np.full((16, 2), 0.01), domains=NAMES, benchmarks=("<b>out", "maths"))
    write_runs(runs, folder / "runs.csv")
    fitted = fit(runs)
    report_of_runs(fitted, recommend(fitted), folder / "runs.html", source=folder / "runs.csv")
    return folder / "runs.html"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_table(browser, page, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, page, color_scheme=scheme, width=width) as found:
        assert found.problems == []
        assert found.requests == [page.as_uri()]
        assert found.ask("window.ran === undefined")
        assert found.ask("document.scrollingElement.scrollWidth") <= width
        assert found.ask("document.querySelectorAll('.contourlayer path').length") > 4
        assert serious(Axe().run(found.page).response) == []
        if width == 1280:
            found.page.locator("th button", has_text="<b>out").click()
            assert found.ask("document.querySelector('th[aria-sort]').textContent") == "<b>out"
