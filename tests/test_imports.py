"""The one road: a module imports only from those before it; and importing modomodo stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import modomodo

SOURCE = Path(modomodo.__file__).parent
ROAD = [
    "errors",
    "files",
    "seeds",
    "rows",
    "mixture",
    "simplex",
    "explained",
    "strict",
    "exclusions",
    "verify",
    "domain",
    "nano.scenes",
    "nano.questions",
    "nano.families",
    "nano.causes",
    "nano.habits",
    "nano.captions",
    "nano.row_cache",
    "nano.world",
    "nano.model",
    "domains.source",
    "domains.prompts",
    "prepared",
    "domains",
    "families",
    "nano.samples",
    "nano.pretrain",
    "models",
    "schedules",
    "fields",
    "recipes",
    "config",
    "study_config",
    "contamination",
    "settings",
    "completions",
    "engines.rewards",
    "engines.parts",
    "engines.pictures",
    "engines.loading",
    "evals",
    "engines",
    "pilots",
    "surrogate",
    "recommendation",
    "tradeoff",
    "proposal",
    "asking",
    "strategy",
    "confirmation",
    "studies",
    "results",
    "estimate",
    "preflight",
    "machine",
    "playing",
    "suggesting",
    "looking",
    "roles",
    "commented",
    "starting",
    "reporting",
    "watching",
    "console",
    "steps",
    "table_steps",
    "arguments",
    "cli",
]


def place(module: str) -> int:
    names = [name for name in ROAD if module == name or module.startswith(name + ".")]
    assert names, f"{module} has no place on the road: add it to ROAD"
    return ROAD.index(max(names, key=len))


def test_modules_import_only_from_those_before_them():
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        if module in ("__init__", "__main__", "nano"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("modomodo"):
                names = (
                    [node.module] if node.module != "modomodo" else [f"modomodo.{alias.name}" for alias in node.names]
                )
                later = [name for name in names if place(name.removeprefix("modomodo.")) > place(module)]
                wrong += [f"{module} imports {name}" for name in later]
    assert not wrong, wrong


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


def test_no_module_bears_the_name_of_a_public_function():
    public = "check play grade train evaluate pilot fit recommend propose confirm report strategies"
    assert not [path for path in SOURCE.rglob("*") if path.stem in public.split() and path.suffix in ("", ".py")]
