"""A store in a lake: its address, what it says when something is wrong, what it keeps and what it forgets."""

import subprocess
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from harness import datasets
from harness.errors import ConfigError, StoreBusy, StoreError
from harness.ground.clock import SystemClock
from harness.ground.ids import item_set_id
from harness.ground.traces import Traces
from harness.store import Erasure, Store, copying, schema
from harness.store.lake import attaching
from harness.store.lake.address import PREFIX, LakeAddress, parsed
from harness.types import Outcome, Prediction, Run
from tests.team import lakes, server

RUN = Run("s1:aaaaaaaaaaaaaaaa", "", "test", "arm", "s1:arm")
TEXT = "the invoice shows a wrong amount 0"


@pytest.fixture
def conninfo(postgres):
    return postgres.database()


def filled(store, root, n=None):
    """A run on the tickets, ended; some of its rows say a text of a person's."""
    dataset = datasets.load(root, "tickets@v1")
    run = replace(RUN, dataset_id=dataset.id)
    store.add_dataset(dataset)
    store.start_run(run, dataset=dataset.ref, code_version="0")
    rows = [Prediction(e.item.id, Outcome.ANSWERED, "bug", raw=e.item.text) for e in dataset.in_split("test")[:n]]
    for one in (rows[:4], rows):
        store.append(run.id, one)
    store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    return dataset, run


def dumped(postgres, conninfo):
    """All that the catalogue says, as SQL."""
    command = [postgres.bin / "pg_dump", "--inserts", conninfo]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.quick
def test_of_what_is_forgotten_no_byte_is_left(postgres, conninfo, root):
    """Neither a file of the data folder nor the catalogue says the text, in whatever way DuckDB or we read them."""
    store = lakes.opened(conninfo, root)
    dataset, run = filled(store, root)
    (gone,) = [e.item for e in dataset.in_split("test") if e.item.text == TEXT]
    reader = lakes.opened(conninfo, root)
    assert len(reader.done(run.id)) == 30
    before = list((root / "lake").rglob("*.parquet"))
    assert any(says(path, TEXT) for path in before)
    store.erase(Erasure({dataset.id: frozenset({gone.id})}, {}, Traces([TEXT])))
    after = [path for path in (root / "lake").rglob("*") if path.is_file()]
    assert after
    assert not set(before) & set(after)
    assert [path for path in after if says(path, TEXT) or TEXT.encode() in path.read_bytes()] == []
    assert TEXT.encode() not in dumped(postgres, conninfo)
    assert len(reader.done(run.id)) == 29, "who had it open reads what is there now"
    assert store.verify() == []
    for one in (store, reader):
        one.close()


def says(path: Path, text: str) -> bool:
    with duckdb.connect() as connection:
        query = "select count(*) from read_parquet(?) t where contains(t::varchar, ?)"
        return connection.execute(query, [str(path), text]).fetchone()[0] > 0


def test_a_snapshot_is_read_again(conninfo, root):
    """What was read at a snapshot is read there again after the store has changed; one that is not there is told."""
    store = lakes.opened(conninfo, root)
    _, run = filled(store, root)
    number, before = store.snapshot(), store.query("from scorecard('tickets@v1', 'test')")
    store.remove_run(run.id)
    assert store.query("from scorecard('tickets@v1', 'test')").empty
    then = lakes.opened(conninfo, root, as_of=number)
    assert then.snapshot() == number
    assert then.query("from scorecard('tickets@v1', 'test')").equals(before)
    with pytest.raises(ConfigError, match=f"--as-of {number} reads what was; leave it out to write"):
        then.remove_run(run.id)
    with pytest.raises(ConfigError, match="--as-of 9999: there is no such snapshot; found 0 to"):
        lakes.opened(conninfo, root, as_of=9999).runs()
    for one in (store, then):
        one.close()


def test_a_pinned_store_reads_one_state_over_many_readings(conninfo, root):
    """Whoever makes a page sees nothing that is written while it is made."""
    store, page = lakes.opened(conninfo, root), lakes.opened(conninfo, root)
    _, run = filled(store, root)
    page.pin()
    number = page.snapshot()
    store.remove_run(run.id)
    assert (len(page.done(run.id)), page.snapshot()) == (30, number)
    page.close()
    assert page.done(run.id) == set()
    for one in (store, page):
        one.close()


@pytest.mark.parametrize(
    "written",
    [
        "dbname=x password=sesame",
        "postgresql://me:sesame@db/x",
        "postgresql://db/x?password=sesame",
        "PASSWORD = 'sesame'",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_shown(written):
    """The line says where it belongs, and not what it is."""
    with pytest.raises(ConfigError, match="PGPASSWORD") as caught:
        parsed(PREFIX + written)
    assert "sesame" not in str(caught.value)


def test_a_password_comes_from_the_environment_alone(postgres, root, monkeypatch):
    """Without one the server's refusal is a line; with one the store works; no error or answer shows it."""
    conninfo = postgres.database(user=server.GUARDED, host="127.0.0.1")
    monkeypatch.setenv("PGPASSFILE", str(root / "none"))
    store = lakes.opened(conninfo, root, wait_s=5)
    with pytest.raises(StoreError, match="PostgreSQL refuses.*no password supplied"):
        store.runs()
    monkeypatch.setenv("PGPASSWORD", "wrong")
    with pytest.raises(StoreError, match="PostgreSQL refuses.*password authentication failed") as caught:
        store.runs()
    assert "wrong" not in str(caught.value)
    monkeypatch.setenv("PGPASSWORD", server.PASSWORD)
    filled(store, root)
    assert server.PASSWORD not in store.name
    with pytest.raises(ConfigError) as caught:
        store.query("select no_such_column from runs")
    assert server.PASSWORD not in str(caught.value)
    assert server.PASSWORD.encode() not in dumped(postgres, conninfo)
    store.close()


def test_a_server_that_is_not_there_is_waited_for_and_told(root):
    """In one line, resumable: it may come back."""
    store = lakes.opened("host=127.0.0.1 port=1 dbname=x", root, wait_s=0.5)
    with pytest.raises(
        StoreBusy, match=r"PostgreSQL does not answer \(waited 0.5 s\).*run the command again"
    ) as caught:
        store.runs()
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_told(conninfo, root):
    """No store yet; no place for the rows; another place than the catalogue's; a run in the way of a copy."""
    store = lakes.opened(conninfo, root)
    with pytest.raises(StoreError, match="there is no store at ducklake:postgres:.* yet; the first run makes it"):
        store.runs()
    bare = Store(LakeAddress(conninfo), SystemClock())
    with pytest.raises(ConfigError, match="its rows need a place: set db_data"):
        filled(bare, root)
    filled(store, root)
    assert len(bare.runs()) == 1, "the catalogue knows the place"
    elsewhere = Store(LakeAddress(conninfo, "/somewhere/else/"), SystemClock())
    with pytest.raises(ConfigError, match="db_data: found '/somewhere/else/', and the rows of .* are in"):
        elsewhere.runs()
    with pytest.raises(ConfigError, match="named twice"):
        copying.copy(store.database, bare.database, lambda *_: None)
    for one in (store, bare, elsewhere):
        one.close()


def test_extensions_of_another_version_are_told(monkeypatch):
    """Which versions meet, and what to install."""
    monkeypatch.setattr(duckdb, "__version__", "9.9.9")
    with pytest.raises(
        ConfigError, match=r"this is duckdb 9.9.9, .* is for 1\.\d\.\d: .* pip install 'prompt-harness\[team\]'"
    ):
        attaching.extension("ducklake")


def test_every_promise_of_sealed_reading_holds_on_the_connection_itself(conninfo, root):
    """Without the check of a statement too, a reader reaches no file of the machine, sets nothing, writes nothing."""
    store = lakes.opened(conninfo, root)
    filled(store, root)
    for sql in (
        "from read_text('/etc/passwd')",
        "copy runs to '/tmp/never.csv'",
        "insert into runs (run_id) values ('x')",
        "set threads = 1",
        "attach '/tmp/never.duckdb'",
    ):
        with store.database.reading() as connection, pytest.raises(duckdb.Error):
            connection.execute(sql)
    for function in ("postgres_query('__ducklake_metadata_store', 'select 1')", "postgres_scan('', 'a', 'b')"):
        with pytest.raises(ConfigError, match="is no table, view or macro of the store"):
            store.query(f"from {function}")
    for deep in ("(" * 5000 + "1" + ")" * 5000, "1" + " + 1" * 5000, "not " * 5000 + "true"):
        with pytest.raises(ConfigError, match="^SQL: "):
            store.query(f"select {deep} from no_such_table")
    store.close()


def test_the_commands_work_on_a_lake_and_a_page_names_its_snapshot(conninfo, root):
    """baselines, report, decide, compare, runs, sql, doctor; `--as-of` writes the same page once more."""
    lakes.settle(root, conninfo)
    lakes.harness(root, "baselines")
    page = root / "results" / "tickets@v1" / "test" / "report.md"
    lakes.harness(root, "report")
    first = page.read_text()
    number = first.partition("--as-of ")[2].partition(" ")[0]
    decided = lakes.harness(root, "decide", "--json")
    lakes.harness(root, "runs", "rm", "rules")
    lakes.harness(root, "report")
    assert page.read_text() != first
    lakes.harness(root, "report", "--as-of", number)
    assert page.read_text() == first
    assert lakes.harness(root, "decide", "--json", "--as-of", number) == decided
    assert "rules" in lakes.harness(root, "compare", "--as-of", number)
    assert lakes.harness(root, "sql", "select count(*) n from runs", "--json", "--as-of", number).count("3") == 1
    assert "every run as it was stored" in lakes.harness(root, "doctor")
    refused = lakes.run(root, "report", "--as-of", "3", "--db", "results/some.duckdb")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "this store is a file" in refused.stderr


def test_a_store_of_the_newer_duckdb_is_read_and_copied(postgres, conninfo, root, other_duckdb):
    """A file that the lock's duckdb wrote is read by the one that the extensions are for, and goes into a lake."""
    made = subprocess.run(
        [other_duckdb, "-m", "harness", "baselines"], cwd=root, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    file = Store(root / "results" / "harness.duckdb", SystemClock())
    assert len(file.runs()) == 3
    assert file.verify() == []
    lake = lakes.opened(conninfo, root)
    assert copying.copy(file.database, lake.database, lambda *_: None).runs == 3
    assert lake.verify() == []
    lake.close()


def test_a_lake_of_an_older_version_is_brought_up_to_date(conninfo, root, monkeypatch):
    """Its rows get what the newer tables have: purpose, counts, credit, macros; a reader alone starts that too."""
    dataset = datasets.load(root, "tickets@v1")
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:3])
        older.setattr(schema, "NEWEST", 3)
        older.setattr(schema, "_complete", lambda connection: None)
        old = lakes.opened(conninfo, root)

        def work(connection):
            connection.execute(
                "insert into datasets (dataset_id, name, version, kind, labels, source) "
                "select ?, 'tickets', 'v1', 'single', ?, '{}'",
                [dataset.id, '[{"name": "billing"}, {"name": "bug"}, {"name": "question"}]'],
            )
            for e in dataset.in_split("test"):
                connection.execute(
                    "insert into examples (dataset_id, example_id, split, text, gold) select ?, ?, 'test', ?, ?",
                    [dataset.id, e.item.id, e.item.text, e.label],
                )
                connection.execute(
                    "insert into predictions (run_id, example_id, outcome, label) select ?, ?, 'answered', 'bug'",
                    [RUN.id, e.item.id],
                )
            connection.execute(
                "insert into runs (run_id, dataset_id, dataset, split, arm, arm_id, params, status, n, item_set, seed, "
                "repeat, started_at) select ?, ?, 'tickets@v1', 'test', 'arm', 's1:arm', '{}', 'done', 30, ?, 0, 0, "
                "now()",
                [RUN.id, dataset.id, item_set_id([e.item.id for e in dataset.in_split("test")])],
            )

        old.database.write(work)
        old.close()
    store = lakes.opened(conninfo, root)
    (run,) = store.selection().runs
    assert (run.run_id, run.purpose, run.n_failed) == (RUN.id, "whole", 0)
    (row,) = store.query("from scorecard('tickets@v1', 'test')").to_dict("records")
    assert (row["run_id"], row["items"], row["credit"]) == (RUN.id, 30, pytest.approx(1 / 3))
    store.close()
