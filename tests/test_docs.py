"""The pages: links lead somewhere, tables in TOML and commands are taken, and the site is built without a warning."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pages import BLOCKS, with_block, written

from modomodo.config.recipe import load_recipe
from modomodo.config.study import load_study
from modomodo.config.table_settings import load_fitting, load_replaying
from modomodo.core.toml import read_toml

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS]
COMMAND = re.compile(r"^    modomodo (\w+) (\S+\.(?:toml|csv))([^#\n]*)", re.MULTILINE)
YOURS = {"study.toml": ROOT / "recipes/modern/study.toml", "recipe.toml": ROOT / "recipes/modern/full.toml"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().split()) <= 900


def test_every_page_is_in_the_navigation_once():
    def leaves(entry):
        if isinstance(entry, str):
            return [entry]
        return [leaf for inner in (entry.values() if isinstance(entry, dict) else entry) for leaf in leaves(inner)]

    named = leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert sorted(named) == [page.name for page in DOCS]


def test_pictures_are_small():
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    assert max(picture.stat().st_size for picture in pictures) <= 120 * 1024


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_recipes_and_studies_of_a_page_are_valid(page, tmp_path):
    for block in re.findall(r"^ *```toml\n(.*?)```", page.read_text(), re.DOTALL | re.MULTILINE):
        table = tomllib.loads(block)
        if "domains" in table:
            (tmp_path / "recipe.toml").write_text(block)
            load_recipe(tmp_path / "recipe.toml")
        if "recipe" in table:
            (tmp_path / "study.toml").write_text(block)
            load_study(tmp_path / "study.toml")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_commands_of_a_page_set_is_taken(page):
    for verb, file, rest in COMMAND.findall(page.read_text()):
        sets = [change for word, change in pairwise(shlex.split(rest)) if word == "--set"]
        path = YOURS.get(file, ROOT / file)
        if file.endswith(".csv"):
            (load_replaying if verb == "strategies" else load_fitting)(sets)
        elif "recipe" in read_toml(path) and verb not in ("train", "eval"):
            load_study(path, sets)
        else:
            load_recipe(path, [change for change in sets if change != "mixture=recommended"])


def test_the_table_of_own_runs_is_the_example():
    page, table = (ROOT / "docs/own-runs.md").read_text(), (ROOT / "examples/runs.csv").read_text()
    assert "".join(f"    {line}\n" for line in table.splitlines()) in page


@pytest.mark.slow
@pytest.mark.parametrize("page", BLOCKS)
def test_the_tables_of_a_page_are_those_of_its_runs(page):
    assert written(page) == (ROOT / "docs" / page).read_text()


def test_a_block_is_replaced_and_a_missing_one_refused():
    text = "a\n<!-- runs -->\nold\n<!-- end -->\n<!-- other -->\nkept\n<!-- end -->\n"
    assert with_block(text, "runs", "new") == text.replace("\nold\n", "\n\nnew\n\n")
    with pytest.raises(ValueError, match="needs one block"):
        with_block(text, "none", "new")


def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list((tmp_path / "site").glob("*.html"))) > len(DOCS)
