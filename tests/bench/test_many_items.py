"""A report, a verdict and a scorecard of a million and of ten million items: seconds, and the driver's memory."""

import json
import os
import subprocess
import sys
import time

import duckdb
import pytest

from harness import datasets
from harness.ground.clock import SystemClock
from harness.ground.ids import content_id, item_set_of
from harness.runs.scope import Scope, item_set
from harness.store import Store
from harness.types import Run

MEGABYTES = 1000
AT_ONCE = 1_000_000  # the database keeps the keys of a transaction in memory
SECONDS = {"sql": 5, "report": 60, "decide": 60, "compare": 60}
ANSWER = (
    "'answered' as outcome, 'label ' || ((i + (i % {every} = 0)::int) % 8) as label, (i % 97) / 97 as score, "
    "1e-7 as cost_usd, (i % 1009) / 1e6 as latency_s, ['{arm}'] as path, "
    "((i % {every}) <> 0)::int::double as credit"
)
ARMS = {"rules": 7, "majority": 3}
pytestmark = pytest.mark.bench


def release(root, n):
    """A version whose first thousand rows are for training."""
    path = root / "rows.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id,text,label,split\n")
        for i in range(n):
            file.write(f"id-{i:08},where is my parcel number {i},label {i % 8},{'train' if i < 1000 else 'test'}\n")
    spec = datasets.ImportSpec(name="many", version="v1", text="text", label="label", id="id", split_column="split")
    datasets.import_file(root, spec, {None: path})
    path.unlink()


def answer(store, dataset, items, arm, n):
    what = {"arm": arm, "arm_id": f"s1:{arm}", "params": {}, "seed": 0, "n_train": None}
    identity = {"dataset_id": dataset.id, "split": "test", "item_set": items, **what}
    run = Run(id=content_id(identity), **identity)
    store.start_run(run, dataset.ref, "bench")
    for first in range(1000, n, AT_ONCE):
        with duckdb.connect(str(store.name), config={"memory_limit": "700MB"}) as connection:
            connection.execute(
                "insert into predictions by name select ? as run_id, 'id-' || lpad(i::varchar, 8, '0') as example_id, "
                f"{ANSWER.format(every=ARMS[arm], arm=arm)} from range({first}, {min(first + AT_ONCE, n)}) t(i)",
                [run.id],
            )
    store.finish_run(run.id, "done", 1.0, 0.5)


def timed(root, *arguments):
    """Seconds and megabytes of a command."""
    start_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, out
    return time.perf_counter() - start_s, usage.ru_maxrss / 1024, out


@pytest.mark.parametrize("n", [1_000_000, 10_000_000])
def test_read_back(tmp_path, table, n):
    """`harness sql` on the scorecard, `report`, `decide` and `compare`, each a command of its own."""
    (tmp_path / "harness.toml").write_text('dataset = "many@v1"\n')
    release(tmp_path, n)
    start_s = time.perf_counter()
    dataset = datasets.load(tmp_path, "many@v1")
    kept_s = time.perf_counter() - start_s
    items = item_set(Scope(dataset, "test").items())
    assert items == item_set_of(f"id-{i:08}" for i in range(1000, n))
    store = Store(tmp_path / "results" / "harness.duckdb", SystemClock())
    start_s = time.perf_counter()
    store.add_dataset(dataset)
    lines = [f"{n:,} rows kept in {kept_s:.0f} s, entered into the store in {time.perf_counter() - start_s:.0f} s"]
    for arm in ARMS:
        answer(store, dataset, items, arm, n)
    commands = {
        "sql": ("sql", "from scorecard('many@v1', 'test')", "--json"),
        "report": ("report",),
        "decide": ("decide",),
        "compare": ("compare", *ARMS),
    }
    found = {name: timed(tmp_path, *command) for name, command in commands.items()}
    lines += [f"harness {name}: {seconds:.1f} s, {megabytes:.0f} MB" for name, (seconds, megabytes, _) in found.items()]
    table("\n".join(lines))
    card = {row["arm"]: row for row in json.loads(found["sql"][2])}
    for arm, every in ARMS.items():
        assert card[arm]["credit"] == sum(1 for i in range(1000, n) if i % every) / (n - 1000)
    for name, (seconds, megabytes, _) in found.items():
        assert seconds < SECONDS[name], name
        assert megabytes < MEGABYTES, name
