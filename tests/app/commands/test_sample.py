"""`dataset sample` and `import --append-labels`: out to the labellers and back, weights kept."""

import csv

import pytest

from harness import datasets
from tests.datasets.workbooks import two_sheets


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def labelled(root, path, label="bug", keep=None):
    rows = rows_of(path)
    for row in rows[:keep]:
        row["label"] = label
    back = root / "back.csv"
    with back.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_a_pool_goes_out_and_comes_back(harness, root):
    """Drawn texts come back as new items of a new version with their weight; formulas are defused on the way."""
    (root / "pool.csv").write_text("body\n" + "".join(f"=new text {i}\n" for i in range(50)))
    sent = harness(
        "dataset",
        "sample",
        "tickets@v1",
        "--pool",
        "pool.csv",
        "--text",
        "body",
        "--n",
        "10",
        "--out",
        "s.csv",
        "--json",
    )
    assert (sent.code, sent.json["n"], sent.json["weight"]) == (0, 10, 5.0)
    assert all(row["text"].startswith("'=") and not row["label"] for row in rows_of(root / "s.csv"))
    sent_rows = labelled(root, root / "s.csv", keep=8)
    done = harness(
        "dataset", "import", "back.csv", "--name", "tickets", "--version", "v2", "--append-labels", "v1", "--json"
    )
    assert done.code == 0, done.err
    assert "2 rows without a label left out" in done.err
    assert done.json["n"] == 98
    made = {row["id"]: row for row in rows_of(root / "datasets/tickets/v2/examples.csv")}
    first = made[sent_rows[0]["id"]]
    assert (first["label"], first["sampling_weight"]) == ("bug", "5")
    assert first["text"].startswith("=new text")


def test_a_random_sample_of_a_version_relabels_it(harness, root):
    """Items that are known get the new label; a larger sample with the same seed holds the smaller one."""
    for n in ("5", "9"):
        assert harness("dataset", "sample", "tickets@v1", "--n", n, "--split", "test", "--out", f"s{n}.csv").code == 0
    small, large = ({row["id"] for row in rows_of(root / f"s{n}.csv")} for n in (5, 9))
    assert small < large
    labelled(root, root / "s5.csv", label="other")
    assert (
        harness("dataset", "import", "back.csv", "--name", "tickets", "--version", "v2", "--append-labels", "v1").code
        == 0
    )
    found = harness("dataset", "diff", "tickets@v1", "tickets@v2", "--json").json
    assert {change["id"] for change in found["relabelled"]} == small
    assert not found["added"]


def test_every_draw_has_known_chances(harness, root):
    """Where the stored arms leave more open an item is likelier drawn; what it stands for is written beside it."""
    assert harness("baselines", "--arm", "rules", "--arm", "majority").code == 0
    for how in ("disagreement", "uncertain", "discordant"):
        assert harness("dataset", "sample", "tickets@v1", "--how", how, "--n", "4", "--out", f"{how}.csv").code == 0
        assert all(float(row["sampling_weight"]) >= 1 for row in rows_of(root / f"{how}.csv"))
        assert len(rows_of(root / f"{how}.csv")) == 4
    answers = harness(
        "sql", "select example_id, count(distinct coalesce(label, '')) as n from predictions group by all", "--json"
    ).json
    differ = {row["example_id"] for row in answers if row["n"] > 1}
    drawn = {row["id"]: float(row["sampling_weight"]) for row in rows_of(root / "disagreement.csv")}
    inside, outside = ([w for i, w in drawn.items() if (i in differ) is wanted] for wanted in (True, False))
    assert inside
    assert max(inside) < min(outside, default=1e9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sample", "tickets@v1", "--how", "uncertain", "--out", "x.csv"), "has no stored run to ask"),
        (("sample", "tickets@v1", "--out", "harness.toml"), "harness.toml is there already"),
        (("sample", "tickets@v1", "--pool", "nothing.csv", "--out", "x.csv"), "there is no such file"),
        (("import", "tickets.csv", "--name", "n"), "give --text COL and --label COL"),
        (
            ("import", "tickets.csv", "--name", "tickets", "--version", "v2", "--append-labels", "v1"),
            "harness: tickets.csv: there is no column 'id'",
        ),
        (
            ("sample", "tickets@v1", "--pool", "tickets.csv", "--text", "body", "--out", "x.csv"),
            "harness: tickets.csv: there is no column 'body'; expected one of",
        ),
    ],
)
def test_mistakes_are_one_line(harness, arguments, said):
    """What was found and what to do, exit 2."""
    done = harness("dataset", *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err


def test_workbooks_that_come_back(harness, root):
    """A pool, labels and predictions are read from the sheet and below the line that are named."""
    read_me, title = [["Read me"]], [["Returned on Monday"]]
    (root / "pool.xlsx").write_bytes(two_sheets(read_me, [*title, ["body"], *([f"new {i}"] for i in range(9))]))
    drawn = ("--pool", "pool.xlsx", "--text", "body", "--n", "9", "--out", "s.csv", "--sheet", "Rows", "--header", "2")
    assert harness("dataset", "sample", "tickets@v1", *drawn).code == 0
    sent = rows_of(root / "s.csv")
    assert sorted(row["text"] for row in sent) == [f"new {i}" for i in range(9)]
    back = [list(sent[0]), *([*[*row.values()][:3], "bug", "1"] for row in sent)]
    (root / "back.xlsx").write_bytes(two_sheets(read_me, title + back))
    done = harness(
        *("dataset", "import", "back.xlsx", "--name", "tickets", "--version", "v2", "--append-labels", "v1"),
        *("--sheet", "2", "--header", "2", "--json"),
    )
    assert (done.code, done.json["n"]) == (0, 99)
    items = [e.item.id for e in datasets.load(root, "tickets@v1").in_split("test")]
    (root / "said.xlsx").write_bytes(two_sheets(read_me, [*title, ["item", "said"], *([i, "bug"] for i in items)]))
    words = ("runs", "import", "said.xlsx", "--dataset", "tickets@v1", "--arm", "x")
    columns = ("--id", "item", "--prediction", "said")
    done = harness(*words, *columns, "--sheet", "rows", "--header", "2", "--json")
    assert (done.code, done.json["n"]) == (0, len(items))
    done = harness(*words, "--sheet", "rows")
    assert (done.code, "--prediction COL" in done.err) == (2, True)
    done = harness(*words, *columns, "--sheet", "Words")
    assert (done.code, "expected one of 'Read me', 'Rows'" in done.err) == (2, True)
