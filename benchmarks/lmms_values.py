"""Writes tests/verifiers/lmms_values.jsonl: what lmms-eval's functions say of answers that test `relaxed` and `anls`.

    pip download lmms-eval==0.7.3 --no-deps && python benchmarks/lmms_values.py lmms_eval-0.7.3-py3-none-any.whl

The functions are taken out of the wheel one by one, so that its fifty dependencies need not be installed.
"""

import ast
import itertools
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "tests/verifiers/lmms_values.jsonl"
RELAXED_GOLDS = ("200", "50%", "0", "0.5", "-3.2", "Yes", "1,000", "2e3", "nan", "A b")
RELAXED_ANSWERS = (
    "200", "190", "189.99", "210", "210.1", "-200", "200%", "50%", "0.5", "0.49", "0.52", "50", "0", "0.0", "0%", "-0",
    "-3.2", "-3.04", "-3.36", "-3.37", "3.2", "yes", "YES.", "Yes", "1,000", "1000", "2000", "2100", "1e3", "nan",
    "inf", "a b", "a  b", "A B", "%", "5%%",
)  # fmt: skip
ANLS_GOLDS = (("hello world", "hi"), ("abcd",), ("12.5%",), ("straße",), ("New York", "NYC"), ("a  b",))
ANLS_ANSWERS = (
    "hello world", "Hello World", "hello  world", "hello worlds", "helo wrld", "hello", "HI", "hii", "abcd", "abxy",
    "axyz", "ab", "abcdabcd", "12.5%", "12.5", "125%", "strasse", "STRASSE", "straße", "new york", "New York City",
    "nyc", "NY", "a b", "A B", "ab", "a", "the quick brown fox",
)  # fmt: skip


def functions(wheel: Path, member: str, *names: str) -> list[Callable[..., Any]]:
    """Return functions of a module of the wheel, without their decorators."""
    tree = ast.parse(zipfile.ZipFile(wheel).read(member))
    found: list[Any] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    for node in found:
        node.decorator_list = []
    space: dict[str, Any] = {}
    exec(compile(ast.Module(found, []), member, "exec"), space)
    return [space[name] for name in names]


def main(wheel: str) -> None:
    """Write the table."""
    (relaxed,) = functions(Path(wheel), "lmms_eval/tasks/chartqa/utils.py", "relaxed_correctness")
    anls, _ = functions(Path(wheel), "lmms_eval/api/metrics.py", "anls", "levenshtein_distance")
    found = [
        ("relaxed", [gold], answer, float(relaxed(answer, gold)))
        for gold, answer in itertools.product(RELAXED_GOLDS, RELAXED_ANSWERS)
    ]
    found += [
        ("anls", list(golds), answer, anls(list(golds), [answer])["anls"])
        for golds, answer in itertools.product(ANLS_GOLDS, ANLS_ANSWERS)
    ]
    OUT.write_text("".join(json.dumps(row) + "\n" for row in found))


if __name__ == "__main__":
    main(*sys.argv[1:])
