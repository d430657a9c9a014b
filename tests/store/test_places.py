"""Which store is meant, a file or a lake; and what goes from one file into another."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

from harness import datasets
from harness.app.project import stores
from harness.errors import ConfigError, StoreError
from harness.ground.clock import SystemClock
from harness.ground.workspace import Preferences, Workspace
from harness.store import Store, copying
from harness.store.lake.address import LakeAddress, is_lake, parsed
from harness.types import Outcome, Prediction, Run

LAKE = "ducklake:postgres:dbname=lake host=db.example.org"
RUN = Run("s1:aaaa", "", "test", "arm", "s1:arm")


def settled(root, **settings):
    return Workspace(root, Preferences(**settings))


def test_the_command_line_goes_before_the_settings_and_they_before_the_default(tmp_path):
    """A path of the settings is one below the workspace; an address is a lake, its folder below the workspace too."""
    assert stores.chosen(settled(tmp_path), None) == tmp_path / "results" / "harness.duckdb"
    assert stores.chosen(settled(tmp_path, db="x/y.duckdb"), None) == tmp_path / "x" / "y.duckdb"
    address = LakeAddress("dbname=lake host=db.example.org", f"{tmp_path / 'lake'}/")
    assert stores.chosen(settled(tmp_path, db=LAKE, db_data="lake"), None) == address
    assert stores.chosen(settled(tmp_path, db="x.duckdb", db_data="lake"), LAKE) == address
    assert stores.chosen(settled(tmp_path, db=LAKE), None, 7) == LakeAddress(address.conninfo, None, 7)
    assert str(stores.chosen(settled(tmp_path, db=LAKE), tmp_path / "z.duckdb")) == f"{tmp_path}/z.duckdb"


@pytest.mark.parametrize(
    ("db", "data", "said"),
    [
        ("ducklake:sqlite:x.db", None, "its catalogue in PostgreSQL"),
        (f"{LAKE} password=sesame", None, "set PGPASSWORD"),
        ("ducklake:postgres:postgresql://me:sesame@db/lake", None, "set PGPASSWORD"),
        ("ducklake:postgres:postgres://db/lake?sslpassword=sesame", None, "set PGPASSWORD"),
        ("ducklake:postgres:", None, "expected as in 'dbname=lake"),
        (LAKE, "ftp://somewhere/else", "expected a folder, or as in 's3://bucket/harness'"),
    ],
)
def test_what_cannot_be_a_lake_is_told(db, data, said):
    """In one line, without the password."""
    with pytest.raises(ConfigError, match=said) as caught:
        parsed(db, data)
    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_may_hold_a_user_and_names_like_a_password():
    """Only a password is one."""
    for conninfo in ("postgresql://me@db/lake", "dbname=password_vault user=me", "passfile=/home/me/.pgpass dbname=x"):
        assert parsed(f"ducklake:postgres:{conninfo}").name == f"ducklake:postgres:{conninfo}"
    assert not is_lake("results/harness.duckdb")


def test_a_file_keeps_no_snapshots(tmp_path):
    """`--as-of` is refused there, and says what keeps them."""
    with pytest.raises(ConfigError, match="--as-of 3: this store is a file, which keeps its newest state alone"):
        stores.chosen(settled(tmp_path), None, 3)


@pytest.mark.skipif(find_spec("psycopg") is not None, reason="the extra `team` is installed here")
def test_without_the_extra_a_lake_says_what_to_install(tmp_path):
    """One line, before anything is connected."""
    with pytest.raises(ConfigError, match=r"pip install 'prompt-harness\[team\]'"):
        Store(LakeAddress("dbname=x", str(tmp_path)), SystemClock()).exists()


@pytest.fixture
def store(root):
    """A store with a run that has ended, and one that has not."""
    made = Store(root / "results" / "harness.duckdb", SystemClock())
    dataset = datasets.load(root, "tickets@v1")
    made.add_dataset(dataset)
    rows = [Prediction(e.item.id, Outcome.ANSWERED, "bug") for e in dataset.in_split("test")[:6]]
    for run_id in ("s1:open", RUN.id):
        made.start_run(replace(RUN, id=run_id, dataset_id=dataset.id), dataset=dataset.ref, code_version="0")
        made.append(run_id, rows)
    made.finish_run(RUN.id, status="done", wall_s=1.0, fit_s=None)
    return made


def test_a_copy_has_what_the_store_has(store, root):
    """Every run with its rows; again it changes nothing; a run with other rows is told before anything is written."""
    copy = Store(root / "copy.duckdb", SystemClock())
    seen = []
    done = copying.copy(store.database, copy.database, lambda *progress: seen.append(progress))
    assert (done, seen) == (copying.Copied(1, 0, 2, 12, 0), [(1, 2), (2, 2)])
    assert copying.copy(store.database, copy.database, lambda *_: None) == copying.Copied(0, 0, 0, 0, 2)
    assert copy.runs().astype(str).equals(store.runs().astype(str))
    assert copy.stored(RUN.id) == store.stored(RUN.id)
    assert copy.looks(copy.runs()["dataset_id"][0], "test") == 1
    query = "from scorecard('tickets@v1', 'test')"
    assert copy.query(query).astype(str).equals(store.query(query).astype(str))
    copy.append(RUN.id, [Prediction("another", Outcome.ANSWERED, "bug")])
    copy.finish_run(RUN.id, status="done", wall_s=1.0, fit_s=None)
    with pytest.raises(StoreError, match=f"run {RUN.id} is in both stores, and with other rows; nothing was copied"):
        copying.copy(store.database, copy.database, lambda *_: None)


def test_rows_that_are_not_those_it_stored_are_not_copied(store, root):
    """A damaged run stays where it is, and is named; it is not half there."""
    store.database.write(lambda connection: connection.execute("update predictions set label = 'x'"))
    copy = Store(root / "copy.duckdb", SystemClock())
    with pytest.raises(StoreError, match=f"run {RUN.id}: 6 rows came that are not the 6 it stored"):
        copying.copy(store.database, copy.database, lambda *_: None)
    assert RUN.id not in set(copy.runs()["run_id"])
    assert copy.stored(RUN.id) == {}


def test_work_that_fails_is_rolled_back_and_raised(store):
    """After an INSERT that failed DuckDB's COMMIT raises nothing: so nothing of the work is there, and it is raised."""

    def work(connection):
        connection.execute("insert into prompts (id) values ('s1:half')")
        connection.execute("insert into runs (run_id, seed) select 's1:half', 'no number'")

    with pytest.raises(Exception, match="no number"):
        store.database.write(work)
    assert store.prompts(["s1:half"]).empty
    assert len(store.runs()) == 2
