"""All pairs of a hundred runs of a hundred thousand items, from the store to the corrected p-values."""

import json

import numpy as np
import pytest

from tests.bench.conftest import measured

pytestmark = pytest.mark.bench
RUNS, ITEMS = 100, 100_000
MOST_S, MOST_MB = 60, 2000

FILL = """
import sys
import duckdb
from harness.store import schema
path, runs, items = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with duckdb.connect(path) as connection:
    schema.upgrade(connection, path)
    connection.execute(
        "insert into examples (dataset_id, example_id, split, text, gold) "
        "select ?, 'i' || i, 'test', 'text ' || i, 'l' || (i % 8) from range(?) t(i)", [sys.argv[4], items])
    connection.execute(
        "insert into runs (run_id, dataset_id, dataset, split, arm, arm_id, params, seed, repeat, item_set, status, "
        "started_at, n) select 'run' || r, ?, 'big@v1', 'test', 'arm' || r, 'arm' || r, '{}', 0, 0, 'all', 'done', "
        "now(), ? from range(?) t(r)", [sys.argv[4], items, runs])
    for run in range(runs):
        connection.execute(
            "insert into predictions (run_id, example_id, outcome, label, cached, attempts) "
            "select 'run' || ?, 'i' || i, 'answered', "
            "'l' || ((i + case when hash(i, ?) % 100 < 20 + ? % 7 then 1 else 0 end) % 8), false, 1 "
            "from range(?) t(i)", [run, run, run, items])
"""


def test_all_pairs_of_many_runs(tmp_path, table):
    """4,950 comparisons within a minute and 2 GB, the whole command."""
    source = tmp_path / "rows.csv"
    lines = [f"i{i},text {i},l{i % 8},test" for i in range(8)] + ["t0,other,l0,train"]
    source.write_text("id,text,label,split\n" + "\n".join(lines) + "\n")
    (tmp_path / "harness.toml").write_text('dataset = "big@v1"\n')
    columns = ("--text", "text", "--label", "label", "--id", "id", "--split-column", "split")
    imported = measured(
        tmp_path, "-m", "harness", "dataset", "import", str(source), "--name", "big", *columns, "--json"
    )
    assert imported.code == 0, imported.err
    (tmp_path / "results").mkdir()
    store = str(tmp_path / "results" / "harness.duckdb")
    filled = measured(tmp_path, "-c", FILL, store, str(RUNS), str(ITEMS), json.loads(imported.out)["id"])
    assert filled.code == 0, filled.err
    done = measured(tmp_path, "-m", "harness", "compare", "--json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    table(
        f"{len(made):,} comparisons of {ITEMS:,} items: {done.seconds:.1f} s, {done.peak_mb:,.0f} MB "
        f"(the store took {filled.seconds:.0f} s to fill)"
    )
    assert len(made) == RUNS * (RUNS - 1) // 2
    assert {one["n"] for one in made} == {ITEMS}
    assert np.mean([one["adjusted_p"] >= one["p_value"] for one in made]) == 1
    assert done.seconds < MOST_S
    assert done.peak_mb < MOST_MB
