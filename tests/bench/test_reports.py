"""Reports and the view at size: 10 runs of 20,000 items in one page, and pages of a store of ten million rows."""

import http.client
import json
import resource
import shutil
import threading
from urllib.parse import urlencode

import duckdb
import pytest

from harness.ground.clock import SystemClock
from harness.ground.ids import content_id
from harness.report.view import Server
from harness.store import Store
from harness.types import Dataset, Example, Item, Label
from tests.bench.conftest import LABELS, measured, rows, workspace

pytestmark = pytest.mark.bench
CLOCK = SystemClock()


def run_of(number):
    """A run id as they are: a hash, by which the database finds a run's rows without reading the others'."""
    return content_id({"run": number})


def fill(path, dataset_id, ref, runs):
    """Runs of every item of a dataset, made in the database: about 80% right, with scores, costs and replies."""
    with duckdb.connect(str(path)) as connection:
        for number in range(runs):
            run_id = run_of(number)
            connection.execute(
                "insert into runs (run_id, dataset_id, dataset, split, arm, arm_id, params, seed, repeat, item_set, "
                "status, started_at, finished_at, n) select ?, ?, ?, 'test', ?, ?, '{}', 0, 0, 'all', 'done', "
                "timestamptz '2026-01-01' + to_seconds(?), timestamptz '2026-01-02', count(*) from examples "
                "where dataset_id = ? and split = 'test'",
                [run_id, dataset_id, ref, f"arm-{number:03}", run_id, number, dataset_id],
            )
            connection.execute(
                """insert into predictions (run_id, example_id, outcome, label, score, raw, cost_usd, billed_usd,
                latency_s, cached, attempts, path) select ?, example_id, 'answered',
                case when hash(example_id || ?) % 100 < 80 then gold else ?[(hash(example_id) % 4 + 1)::int] end,
                round(hash(example_id || ?) % 1000 / 1000, 3),
                'the label is ' || gold || repeat('. because of the text', 12),
                hash(example_id) % 997 / 1e6, 0, hash(example_id || ?) % 1000 / 500, false, 1, ['a']
                from examples where dataset_id = ? and split = 'test' order by example_id""",
                [run_id, run_id, list(LABELS), run_id, run_id, dataset_id],
            )
        connection.execute("checkpoint")


def test_the_report_of_ten_runs_of_twenty_thousand_items(tmp_path, table):
    """Written in under 10 s of processor time and 1 GB; its items are all in the page."""
    root = workspace(tmp_path, 20_000)
    assert measured(root, "-m", "harness", "baselines", "--arm", "majority", "--limit", "5").code == 0
    store = root / "results" / "harness.duckdb"
    with duckdb.connect(str(store)) as connection:
        dataset_id = connection.execute("select dataset_id from datasets").fetchone()[0]
        connection.execute("delete from predictions")
        connection.execute("delete from runs")
    fill(store, dataset_id, "speed@v1", 10)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = measured(root, "-m", "harness", "report", "--json")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.code == 0, done.err
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    page = root / json.loads(done.out)["files"][0]
    table(
        "report of 10 runs x 20,000 items   seconds  processor s  peak MB  page MB",
        f"{'':33} {done.seconds:8.1f} {cpu_s:12.1f} {done.peak_mb:8.0f} {page.stat().st_size / 1e6:8.1f}",
    )
    assert done.peak_mb < 1000
    assert cpu_s < 10


def test_every_page_of_ten_million_rows(tmp_path, table):
    """100 runs of 100,000 items: each page in under 300 ms at its best of three, the split's summary under 10 s."""
    if shutil.disk_usage(tmp_path).free < 6e9:
        pytest.skip("needs 6 GB of disk for the store of ten million rows")
    store = Store(tmp_path / "harness.duckdb", CLOCK)
    examples = tuple(Example(Item(i, text), label, "test") for i, text, label in rows(100_000))
    dataset = Dataset("big", "v1", "s1:big", "single", tuple(map(Label, LABELS)), examples)
    store.add_dataset(dataset)
    start_s = CLOCK.monotonic()
    fill(store.database.path, dataset.id, dataset.ref, 100)
    filled_s = CLOCK.monotonic() - start_s
    a, b = run_of(7), run_of(63)
    pages = {
        "all splits": ("/", {}),
        "a split's runs": ("/split", {"dataset": "s1:big", "split": "test"}),
        "a run": ("/run", {"run": a}),
        "items": ("/items", {"a": a}),
        "A right and B wrong": ("/items", {"a": a, "b": b, "show": "only_a", "page": 40}),
        "words": ("/items", {"a": a, "q": "item 777 beta"}),
        "a label, slowest first": ("/items", {"a": a, "gold": "beta", "show": "wrong", "sort": "slowest"}),
        "an item in 100 runs": ("/item", {"dataset": "s1:big", "item": "r4711"}),
    }
    server = Server(store, lambda _ref, _split: b"")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        took = {name: sorted(seconds(server, *page) for _ in range(3)) for name, page in pages.items()}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    size_mb = store.database.path.stat().st_size / 1e6
    table(
        f"10,000,000 rows, {size_mb:,.0f} MB, made in {filled_s:.0f} s   best ms   worst ms",
        *(f"{name:45} {1000 * times[0]:12.0f} {1000 * times[-1]:10.0f}" for name, times in took.items()),
    )
    assert max(times[0] for times in took.values()) < 0.3
    assert max(times[-1] for times in took.values()) < 10


def seconds(server, path, said):
    start_s = CLOCK.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request("GET", path + (f"?{urlencode(said)}" if said else ""))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return CLOCK.monotonic() - start_s
