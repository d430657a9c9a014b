"""Ten million predictions by eight machines, merged: the run of one process, in less than a gigabyte."""

import resource
import sys
import time

import duckdb
import pytest

from harness.ground.clock import SystemClock
from harness.ground.ids import content_id, item_set_of
from harness.ground.shards import Shard, ShardOf
from harness.store import Store, shard_runs
from harness.store.merging import Merger
from harness.types import Dataset, Label, Run

SHARDS = 8
MEGABYTES = 1000
AT_ONCE = 1_000_000  # the database keeps the keys of a transaction in memory
HELD = "('0x' || substr(sha256('shard' || chr(31) || example_id), 1, 14))::ubigint::hugeint * 8 >> 56"
ITEMS = "select 'id-' || lpad(i::varchar, 8, '0') as example_id, i from range({n}) t(i)"
ANSWER = (
    "'answered' as outcome, 'label ' || (i % 8) as label, (i % 97) / 97 as score, 1e-7 as cost_usd, "
    "['majority'] as path"
)
pytestmark = pytest.mark.bench


def ids(n):
    return (f"id-{i:08}" for i in range(n))


def whole_run(dataset, n):
    what = {"arm": "majority", "arm_id": "s1:arm", "params": {}, "seed": 0, "n_train": None}
    identity = {"dataset_id": dataset.id, "split": "test", "item_set": item_set_of(ids(n)), **what}
    return Run(id=content_id(identity), **identity)


def store_of(path, dataset, n):
    store = Store(path, SystemClock())
    store.add_dataset(dataset)
    for first in range(0, n, AT_ONCE):
        with duckdb.connect(str(path), config={"memory_limit": "700MB"}) as connection:
            connection.execute(
                "insert into examples (dataset_id, example_id, split, text, gold) "
                f"select ?, example_id, 'test', 'text', 'label 1' from ({ITEMS.format(n=n)}) "
                f"where i >= {first} and i < {first + AT_ONCE}",
                [dataset.id],
            )
    return store


def answer(store, run, n, where="true"):
    store.start_run(run, "large@v1", "bench")
    for first in range(0, n, AT_ONCE):
        with duckdb.connect(str(store.name), config={"memory_limit": "700MB"}) as connection:
            connection.execute(
                f"insert into predictions by name select ? as run_id, example_id, {ANSWER} "
                f"from ({ITEMS.format(n=n)}) where {where} and i >= {first} and i < {first + AT_ONCE}",
                [run.id],
            )
    store.finish_run(run.id, "done", 1.0, 0.5)


def shard_of_run(run, part, n, store):
    with store.reader() as select:
        query = f"select example_id from ({ITEMS.format(n=n)}) where {HELD} = {part - 1} order by 1"
        item_set = item_set_of(row["example_id"] for row in select(query))
    params = ShardOf(Shard(part, SHARDS), run.id, run.item_set, "whole").as_params()
    identity = {**run.identity, "params": params, "item_set": item_set}
    return Run(id=content_id(identity), purpose="shard", **identity)


@pytest.mark.parametrize("n", [1_000_000, 10_000_000])
def test_merged(tmp_path, table, n):
    """Eight stores of a shard each; the merged run has the content hash of one that was written at once."""
    dataset = Dataset("large", "v1", "s1:large", "single", tuple(Label(f"label {i}") for i in range(8)), ())
    run = whole_run(dataset, n)
    alone = store_of(tmp_path / "alone.duckdb", dataset, n)
    answer(alone, run, n)
    machines = []
    for part in range(1, SHARDS + 1):
        machine = Store(tmp_path / f"machine{part}.duckdb", SystemClock())
        machine.add_dataset(dataset)
        answer(machine, shard_of_run(run, part, n, machine), n, f"{HELD} = {part - 1}")
        machines.append(machine)
    store = store_of(tmp_path / "merged.duckdb", dataset, n)
    before_mb = peak_mb()
    start_s = time.perf_counter()
    parts = [part for one in machines for part in shard_runs.parts_of(one)]
    merged = Merger(store).merge(shard_runs.complete(parts), "large@v1")
    seconds = time.perf_counter() - start_s
    with alone.reader() as select:
        (expected,) = select("select run_id, content_hash, n from runs")
    assert {"run_id": merged.run_id, "content_hash": merged.content_hash, "n": merged.n} == expected
    memory = f"peak {peak_mb():.0f} MB, {before_mb:.0f} before"
    table(f"{n:,} predictions of {SHARDS} stores merged in {seconds:.0f} s; {memory}")
    assert peak_mb() < MEGABYTES


def peak_mb():
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found / 1024 if sys.platform != "darwin" else found / 1024**2
