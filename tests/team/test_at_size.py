"""Ten million predictions in a lake: the scorecard of a split of a hundred runs, in the database alone."""

import pytest

from harness.ground.clock import SystemClock
from harness.types import Dataset, Example, Item, Label
from tests.bench.conftest import LABELS, measured, rows, workspace
from tests.team import lakes

pytestmark = pytest.mark.bench
CLOCK = SystemClock()
ITEMS, RUNS = 100_000, 100
RUN_ROW = """
    insert into runs (run_id, dataset_id, dataset, split, arm, arm_id, params, seed, repeat, item_set, status, purpose,
        started_at, finished_at, n, n_failed)
    select $1, $2, $3, 'test', $4, $1, '{}', 0, 0, 'all', 'done', 'whole', timestamptz '2026-01-01',
        timestamptz '2026-01-02', (select count(*) from examples where dataset_id = $2), 0
"""
ROWS = """
    insert into predictions (run_id, example_id, outcome, label, score, raw, cost_usd, billed_usd, latency_s, cached,
        attempts, path, credit)
    select $1, example_id, 'answered', case when is_right then gold when gold = 'alpha' then 'beta' else 'alpha' end,
        round(hash(example_id || $1) % 1000 / 1000, 3), 'the label is ' || gold, hash(example_id) % 997 / 1e6, 0,
        hash(example_id || $1) % 1000 / 500, false, 1, ['a'], is_right::int
    from (select *, hash(example_id || $1) % 100 < 80 as is_right from examples where dataset_id = $2)
    order by example_id
"""


def fill(store, dataset, runs):
    """Runs of every item of a dataset, each in a transaction as its own."""
    store.add_dataset(dataset)
    for number in range(runs):
        run_id = f"s1:{number:016x}"

        def work(connection, run_id=run_id, number=number):
            connection.execute(RUN_ROW, [run_id, dataset.id, dataset.ref, f"arm-{number:03}"])
            connection.execute(ROWS, [run_id, dataset.id])

        store.database.write(work, run_id)
    store.finish_run(f"s1:{runs - 1:016x}", status="done", wall_s=1.0, fit_s=None)


def made(name, n):
    examples = tuple(Example(Item(i, text), label, "test") for i, text, label in rows(n))
    return Dataset(name, "v1", f"s1:{name}", "single", tuple(map(Label, LABELS)), examples)


def test_the_scorecard_of_ten_million_rows_in_a_lake(postgres, tmp_path, table):
    """Under 10 s of processor time, which are 5 s on two cores, and under 1 GB of memory, the command and all."""
    root = workspace(tmp_path, 100)
    conninfo = postgres.database()
    lakes.settle(root, conninfo)
    store = lakes.opened(conninfo, root)
    start_s = CLOCK.monotonic()
    fill(store, made("big", ITEMS), RUNS)
    filled_s = CLOCK.monotonic() - start_s
    size_mb = sum(path.stat().st_size for path in (root / "lake").rglob("*.parquet")) / 1e6
    store.close()
    done = measured(root, "-m", "harness", "sql", "from scorecard('big@v1', 'test')", "--json", "--timeout", "300")
    assert done.code == 0, done.err
    assert done.out.count('"run_id"') == RUNS
    table(
        f"{ITEMS * RUNS:,} rows in a lake, {size_mb:,.0f} MB, made in {filled_s:.0f} s   seconds  processor s  peak MB",
        f"{'scorecard, the command and all':45} {done.seconds:8.1f} {done.cpu_s:12.1f} {done.peak_mb:8.0f}",
    )
    assert done.peak_mb < 1000
    assert done.cpu_s < 10
