"""Every number and figure of the experiment's pages, from the tables of runs that are shipped: `make experiment`.

    python benchmarks/pages.py    # a minute; rewrites tables between <!-- NAME --> and <!-- end --> and the pictures

What has no runs yet is left as it is, and named. The pictures need kaleido and a Chromium on the PATH.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cheaper
import confirmed
import experiment
import gains
import online
import plotly.graph_objects as go
from experiment_figures import cost_figure, gains_figure, regret_figure
from tqdm import tqdm

from modomodo.core import write_text
from modomodo.models.nano.grid import TABLE as GRID

DOCS = Path(__file__).parents[1] / "docs"
# page -> block -> its lines, and the tables of runs that they need
BLOCKS: dict[str, dict[str, tuple[Callable[[], Iterator[str]], tuple[Path, ...]]]] = {
    "experiment.md": {
        "strategies": (experiment.lines, (GRID, experiment.REPLAYS)),
        "confirmed": (confirmed.lines, (confirmed.TABLE,)),
        "cheaper": (cheaper.lines, (GRID, cheaper.TABLE, *map(cheaper.proxy_table, cheaper.WORLDS))),
    },
    "online.md": {"online": (online.lines, (online.TABLE,))},
    "surrogates.md": {"gains": (gains.lines, (gains.TABLE,))},
}
FIGURES: dict[str, tuple[Callable[[], go.Figure], tuple[Path, ...]]] = {
    "experiment-gains": (gains_figure, (confirmed.TABLE,)),
    "experiment-regret": (regret_figure, (GRID, experiment.REPLAYS)),
    "experiment-cost": (cost_figure, (GRID, cheaper.TABLE)),
}
WIDTH, SCALE = 1000, 1.5  # of a picture, in pixels; sharper on fine screens


def main() -> None:
    """Rewrite all tables, then all pictures."""
    for page in tqdm(BLOCKS, desc="pages"):
        write_text(DOCS / page, written(page))
    for name, (figure, needed) in tqdm(FIGURES.items(), desc="figures"):
        if there(name, needed):
            write_picture(DOCS / "images" / f"{name}.webp", figure())


def write_picture(path: Path, figure: go.Figure) -> None:
    try:
        figure.write_image(path, width=WIDTH, scale=SCALE)
    except RuntimeError as error:  # no browser
        sys.exit(f"{path.name} is not drawn: {' '.join(str(error).split())}")


def written(page: str) -> str:
    """Return the text of a page with the tables that its runs give."""
    text = (DOCS / page).read_text()
    for name, (lines, needed) in BLOCKS[page].items():
        if there(name, needed):
            text = with_block(text, name, "\n".join(lines()))
    return text


def there(name: str, needed: Sequence[Path]) -> bool:
    """Return whether the tables of runs are there, and say so where one isn't."""
    missing = [path.name for path in needed if not path.exists()]
    if missing:
        tqdm.write(f"{name}: left as it is, for want of {missing[0]}, which `make experiment-full` makes")
    return not missing


def with_block(text: str, name: str, lines: str) -> str:
    """Return a page's text with its block of that name replaced.

    Raises ValueError for a text that hasn't one such block.
    """
    start, end = f"<!-- {name} -->", "<!-- end -->"
    found, count = re.subn(f"{start}.*?{end}", lambda _: f"{start}\n\n{lines.strip()}\n\n{end}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"the page needs one block {start} ... {end}, and has {count}")
    return found


if __name__ == "__main__":
    main()
