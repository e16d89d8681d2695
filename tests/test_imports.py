"""The one road: a package imports only from those before it; no circles; and importing modomodo stays light."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import modomodo

SOURCE = Path(modomodo.__file__).parent
ROAD = ["core", "verifiers", "mixing", "data", "models", "config"]
ROAD += ["evaluation", "training", "runs", "study", "reports", "cli"]
APART = {("mixing", "verifiers")}  # neighbours on the road that do not know each other
CORE = [
    "blocks",
    "children",
    "errors",
    "files",
    "later",
    "mixture",
    "names",
    "packages",
    "plugins",
    "rows",
    "schedules",
    "seeds",
    "simplex",
    "toml",
    "toml_errors",
]
LOOSE = ["__init__", "__main__", "testing"]  # and py.typed, which is no module
LONGEST = 22  # modules in a chain of imports, those inside functions too: may only fall
# Notebooks begin with `Study.load(path).runs`: the one import against the road, at the call.
AGAINST = {("config.study", "study.frame")}


@cache
def modules() -> dict[str, Path]:
    """Return every module of the packages, by its name after `modomodo.`."""
    paths = {path: path.relative_to(SOURCE).with_suffix("").parts for path in SOURCE.rglob("*.py")}
    return {".".join(parts).removesuffix(".__init__"): path for path, parts in paths.items() if len(parts) > 1}


def named(node: ast.AST) -> list[str]:
    """Return the names that a node imports, those of `import_module("...")` among them."""
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        return [str(node.args[0].value)] if called == "import_module" else []
    return []


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the modules of ours that a node imports."""
    for name in named(node):
        if not name.startswith("modomodo."):
            continue
        short = name.removeprefix("modomodo.")
        yield short if short in modules() else short.rpartition(".")[0]


@cache
def arrows() -> dict[str, set[str]]:
    """Return module -> the modules that it imports, wherever in it."""
    trees = {module: ast.parse(path.read_text()) for module, path in modules().items()}
    return {
        module: {name for node in ast.walk(tree) for name in imported(node)} - {module}
        for module, tree in trees.items()
    }


def package(module: str) -> str:
    return module.partition(".")[0]


def test_a_package_imports_only_from_those_before_it():
    wrong = []
    for module, names in arrows().items():
        own = package(module)
        before = [name for name in ROAD[: ROAD.index(own) + 1] if (own, name) not in APART]
        wrong += [
            f"{module} imports {name or 'modomodo'}"
            for name in names
            if package(name) not in before
            if (module, name) not in AGAINST
        ]
    assert not wrong, wrong


def test_imports_make_no_circle_and_no_long_chain():
    lengths: dict[str, int] = {}
    chain: list[str] = []

    def length(module: str) -> int:
        assert module not in chain, " -> ".join([*chain, module])
        if module not in lengths:
            chain.append(module)
            after = [name for name in arrows()[module] if name in modules() and (module, name) not in AGAINST]
            lengths[module] = 1 + max((length(name) for name in after), default=0)
            chain.pop()
        return lengths[module]

    assert max(length(module) for module in modules()) <= LONGEST


def test_the_packages_are_those_of_the_road_and_core_has_its_files():
    top = [path for path in SOURCE.iterdir() if path.name != "__pycache__"]
    assert sorted(path.name for path in top if path.is_dir()) == sorted(ROAD)
    assert sorted(path.stem for path in top if path.suffix == ".py") == LOOSE
    assert sorted(path.stem for path in (SOURCE / "core").glob("*.py") if path.stem != "__init__") == CORE


def test_importing_modomodo_loads_neither_torch_nor_anything_heavy():
    heavy = ["torch", "transformers", "trl", "datasets", "sklearn", "scipy", "pandas", "plotly", "PIL", "rich", "typer"]
    code = f"import modomodo, sys; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_public_name_is_there():
    names = "fit recommend confirm read_runs propose Search find_domain pilot report strategies"
    for name in names.split():
        assert callable(getattr(modomodo, name))
    assert not hasattr(modomodo, "nothing")


def test_no_package_bears_the_name_of_a_public_function():
    public = "check play grade train evaluate pilot fit recommend propose confirm report strategies"
    assert not [path for path in SOURCE.iterdir() if path.stem in public.split()]


ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", re.findall(r"^::: (\S+)", (ROOT / "docs/api.md").read_text(), re.MULTILINE))
def test_what_the_reference_names_is_there(name: str):
    *modules, attribute = name.split(".")
    found = import_module(modules[0])
    for part in modules[1:]:
        found = getattr(found, part, None) or import_module(f"{found.__name__}.{part}")
    assert hasattr(found, attribute)


# They look into the embedded worlds, and draw in the style of the report.
INSIDERS = {"cheaper.py", "experiment.py", "experiment_figures.py", "nano_grid.py", "nano_world.py", "uneven_world.py"}
PUBLIC = re.compile(r"^ *from (modomodo[\w.]*) import (\([^)]*\)|.*)", re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.py")]
    + [path for path in (ROOT / "benchmarks").glob("*.py") if path.name not in INSIDERS],
    ids=lambda path: path.name,
)
def test_what_users_import_is_public(path: Path):
    for module, names in PUBLIC.findall(path.read_text()):
        file = ROOT / "src" / module.replace(".", "/")
        assert file.is_dir() or module == "modomodo.testing", f"{module} is private"
        for name in re.findall(r"(\w+)(?: as \w+)?[,)]", f"{names.split('#')[0].strip(' ()')},"):
            assert hasattr(import_module(module), name) or (file / f"{name}.py").exists(), f"{module} has no {name}"
