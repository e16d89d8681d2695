from modomodo.core.rows import Row, Target, View
from modomodo.data.domain import Domain
from modomodo.training.row_table import RowTable

ROWS = [Row(f"r{n}", "sums", f"{n} + {n} = ?", Target("count", 2 * n)) for n in range(3)]


def ask(row: Row, view: View) -> list:
    return [{"role": "user", "content": [{"type": "text", "text": f"{row.question} ({view.mode})"}]}]


def broken(row: Row, reply: str, view: View):
    raise RuntimeError("verifier fell over")


def test_a_table_has_the_training_rows_by_domain_and_id_and_asks_them_as_its_view_says():
    load = {"train": ROWS[:2], "test": ROWS[2:]}.__getitem__
    domains = {"sums": Domain("sums", load, ask), "broken": Domain("broken", load, ask, verify=broken)}
    table = RowTable.load(domains, view=View(mode="standard"))
    assert table.pools == {"sums": ["r0", "r1"], "broken": ["r0", "r1"]}
    assert table.row("sums", "r1") is ROWS[1]
    assert table.prompt("sums", "r1")[0]["content"][0]["text"] == "1 + 1 = ? (standard)"
    reply = "<think>two</think><answer>2</answer>"
    assert table.verdict("sums", "r1", reply).reward == 1
    assert table.verdict("sums", "r0", reply).reward == 0
    assert table.verdict("broken", "r1", reply).status == "ungradable"
