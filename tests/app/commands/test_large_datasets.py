"""Datasets that stay in files, under whole commands: the runs, shards and reports of those in memory."""

import pytest

from harness import datasets
from harness.datasets import kept_rows, loading
from tests.conftest import write_tickets


@pytest.fixture
def large(monkeypatch):
    """Every version counts as large, and is kept in blocks of seven rows."""
    monkeypatch.setattr(loading, "LARGE_BYTES", 0)
    monkeypatch.setattr(kept_rows, "BLOCK", 7)


def test_a_large_version_is_forgotten_like_a_small_one(harness, root, large):
    """No byte of the person's text is left among the kept rows."""
    secret = "Miriam Quickly of 12 Elm Road was charged twice"
    write_tickets(root, [(secret if i == 5 else f"my card {i}", ("bug", "billing")[i % 2], "", ("train", "test")[i > 5])
                         for i in range(12)], "people")  # fmt: skip
    assert harness("baselines", "--arm", "majority", "--dataset", "people@v1").code == 0
    ref = "people@v1"
    assert isinstance(datasets.load(root, ref).examples, kept_rows.KeptRows)
    item = next(one.item.id for one in datasets.load(root, ref).examples if secret in one.item.text)
    done = harness("forget", "--dataset", "people", "--id", item)
    assert (done.code, "people.csv still holds it" in done.out) == (1, True), done.err
    after = datasets.load(root, ref)
    assert len(after.examples) == 11
    assert not any(secret in one.item.text for one in after.examples)
    held = [path for path in root.rglob("*") if path.is_file() and b"Miriam" in path.read_bytes()]
    assert [path.name for path in held] == ["people.csv"]
    assert len(list((root / "results" / ref).glob("rows-*"))) == 1


def test_runs_of_a_large_version_are_those_of_a_small_one(harness, root, monkeypatch):
    """The same ids, items and credit: of whole runs, of a few items, of each share and of what they are merged to."""
    commands = [
        ("baselines", "--arm", "tag-odds", "--arm", "rules"),
        ("baselines", "--arm", "tag-odds", "--limit", "7"),
        *(("eval", "--prompt", "v1", "--shard", f"{part}/3") for part in (1, 2, 3)),
        ("runs", "merge"),
    ]
    stored = []
    for db, least in (("small.duckdb", 1 << 40), ("large.duckdb", 0)):
        monkeypatch.setattr(loading, "LARGE_BYTES", least)
        for command in commands:
            done = harness(*command, "--db", db)
            assert done.code == 0, done.err
        rows = "select run_id, purpose, item_set, n from runs order by run_id"
        credits = "select run_id, example_id, label, credit, gold, text from scored order by 1, 2"
        stored.append([harness("sql", one, "--json", "--db", db, "--limit", "9999").json for one in (rows, credits)])
    assert stored[0] == stored[1]
    assert len(stored[0][0]) == 4
