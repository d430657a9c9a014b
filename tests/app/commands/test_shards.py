"""`--shard i/n` and `runs merge`: parts that were made anywhere become the run that one process would have made."""

import json
import shutil

import duckdb
import pytest

from harness import datasets
from harness.app.project import Project
from harness.arms.prompts import files
from harness.ground import workspace
from harness.ground.clock import SystemClock
from harness.ground.ids import shard_of
from harness.ground.shards import Shard
from harness.models import stack
from harness.runs import building, sharding
from harness.runs.scope import Scope
from harness.store import merging
from tests.app.standing import carried_out

ARM = ("--arm", "tag-odds")
DB = ("--db", "apart.duckdb")


def runs(harness, *where):
    done = harness("runs", "list", "--json", *where)
    assert done.code == 0, done.err
    return done.json


def looks(root, db="results/harness.duckdb"):
    with duckdb.connect(str(root / db), read_only=True) as store:
        return store.execute("select count(*) from looks").fetchone()[0]


EVAL = ("eval", "--prompt", "v1")
BASELINE = ("baselines", *ARM)


def made(root, arm, of=None, db=None, folds=None, limit=None):
    """A run stored without its report: whole, or each of so many shards."""
    project = Project(workspace.find(root, root), SystemClock(), None if db is None else root / db)
    dataset = datasets.load(root, "tickets@v1")
    scope, space = Scope(dataset, "test", limit), project.workspace
    with project.ledger() as ledger:
        for part in range(1, (of or 1) + 1):
            if arm == "prompt:v1":
                prompt = files.load(root, "tickets", "v1")
                job = building.prompt_job(prompt, scope, stack.Asking("fake/first"), space, ledger, project.clock)
            else:
                choice = building.BaselineChoice(folds=folds)
                job = building.baseline_job(arm, scope, space, project.clock, choice=choice)
            carried_out(project, dataset, sharding.of_job(job, of and Shard(part, of)))


@pytest.fixture
def parts(harness, root, once):
    """A baseline and a prompt in three shards each, in this store."""
    once(lambda: begin(root))


def begin(root):
    for arm in ("tag-odds", "prompt:v1"):
        made(root, arm, of=3)


def test_a_shard_is_run_and_told(harness, root):
    """`--shard` fits on all training items, stores the share, and prints how many items it had; nothing is scored."""
    done = harness(*BASELINE, "--shard", "2/3", "--json")
    assert done.code == 0, done.err
    (told,) = done.json
    assert (told["arm"], told["shard"], told["n"]) == ("tag-odds", {"part": 2, "of": 3}, 6)
    assert "accuracy" not in told
    done = harness(*EVAL, "--shard", "2/3")
    assert done.out.startswith("prompt:v1, part 2 of 3: 6 items: 6 answered")
    assert [run["n_train"] for run in runs(harness)] == [None, 60]
    assert not (root / "results" / "tickets@v1").exists()


def test_merged_shards_are_the_run_of_one_process(harness, parts, root):
    """Same run id, same content hash, same number of looks; shards go, and merging again changes nothing."""
    before = runs(harness)
    assert {run["purpose"] for run in before} == {"shard"}
    assert looks(root) == 2
    done = harness("runs", "merge", "--json")
    assert done.code == 0, done.err
    assert (done.json["removed"], len(done.json["merged"])) == (6, 2)
    for arm in ("tag-odds", "prompt:v1"):
        made(root, arm, db=DB[1])
    merged, alone = ({run["arm"]: run for run in runs(harness, *db)} for db in ((), DB))
    for arm in ("tag-odds", "prompt:v1"):
        for name in ("run_id", "n", "n_failed", "status", "purpose", "params", "item_set", "n_train", "seed", "repeat"):
            assert merged[arm][name] == alone[arm][name], (arm, name)
    assert merged["prompt:v1"]["content_hash"] == alone["prompt:v1"]["content_hash"]
    labels = "select example_id, outcome, label, score, scores, credit from scored where arm = 'tag-odds' order by 1"
    here, there = (harness("sql", labels, "--json", *db).json for db in ((), DB))
    assert here == there
    assert (looks(root), looks(root, "apart.duckdb")) == (2, 2)
    shown = harness("runs", "show", "tag-odds", "--json").json
    assert shown["facts"]["shards"] == 3
    assert shown["wall_s"] == pytest.approx(sum(run["wall_s"] for run in before if run["arm"] == "tag-odds"))
    assert shown["fit_s"] == max(run["fit_s"] for run in before if run["arm"] == "tag-odds")
    assert harness("runs", "merge").code == 0
    assert runs(harness) == list(merged.values())


def test_shards_hold_the_items_of_their_hash(harness, parts, root):
    """A shard has the items that the documented hash gives it, and no other."""
    query = (
        "select params ->> '$.shard.part' as part, example_id from predictions join runs using (run_id) "
        "where arm = 'prompt:v1'"
    )
    rows = harness("sql", query, "--json").json
    assert len(rows) == 30
    assert all(int(row["part"]) == shard_of(row["example_id"], 3) for row in rows)


def test_a_shard_stands_for_nothing(harness, parts, root):
    """No report, comparison, decision or gate takes a shard for its arm, by whatever name it is asked for."""
    ids = {run["name"]: run["run_id"] for run in runs(harness)}
    assert {name.partition(", ")[2] for name in ids} == {f"part {part} of 3" for part in (1, 2, 3)}
    made(root, "majority")
    for name in ("prompt:v1", ids["prompt:v1, part 2 of 3"], "prompt:v1, part 2 of 3"):
        done = harness("compare", "majority", name)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "harness runs merge" in done.err
    shard = ids["tag-odds, part 2 of 3"]
    harness("runs", "export", shard, "--to", "part.parquet")
    gate = ("gate", "--baseline", "part.parquet", "--arm", "majority")
    for command in (("predict", shard, "tickets.csv"), ("ship", shard, "--to", "x"), ("watch", shard, "x.csv"), gate):
        done = harness(*command)
        assert (done.code, "harness runs merge" in done.err) == (2, True), done.err
    with Project(workspace.find(root, root), SystemClock()).store.reader() as select:
        assert select("select name from members") == [{"name": "majority"}]
    project = Project(workspace.find(root, root), SystemClock())
    results = project.results(datasets.load(root, "tickets@v1"), "test")
    assert [one.run.name for one in results.runs] == ["majority"]
    assert not results.passed_over


def test_parts_that_lack_are_named(harness, parts, root):
    """Without the second part nothing is merged of that run, the others are, and one line names what to run."""
    names = {run["name"]: run["run_id"] for run in runs(harness)}
    harness("runs", "rm", names["tag-odds, part 2 of 3"])
    done = harness("runs", "merge")
    assert done.code == 3
    assert done.err.strip().splitlines()[-1] == (
        "harness: part 2 of 3 of tag-odds on tickets@v1 / test is not there; run its command (--shard 2/3), then merge "
        "again"
    )
    assert sorted(run["name"] for run in runs(harness)) == [
        "prompt:v1",
        "tag-odds, part 1 of 3",
        "tag-odds, part 3 of 3",
    ]
    made(root, "tag-odds", of=3)
    assert harness("runs", "merge").code == 0
    assert sorted(run["name"] for run in runs(harness)) == ["prompt:v1", "tag-odds"]


@pytest.mark.parametrize("rows", [merging.ROWS_AT_ONCE, 7])
def test_parts_of_several_machines(harness, parts, root, monkeypatch, rows):
    """A part in a store of its own, one in an exported file and one here are merged; the files stay as they were.

    So they are where a transaction takes few items, and one other store is open at once.
    """
    monkeypatch.setattr(merging, "ROWS_AT_ONCE", rows)
    monkeypatch.setattr(merging, "STORES", min(rows, merging.STORES) // 7)
    names = {run["name"]: run["run_id"] for run in runs(harness)}
    second, third = (names[f"prompt:v1, part {part} of 3"] for part in (2, 3))
    shutil.copy(root / "results" / "harness.duckdb", root / "machine.duckdb")
    for name, run_id in names.items():
        if name != "prompt:v1, part 3 of 3":
            harness("runs", "rm", run_id, "--db", "machine.duckdb")
    assert harness("runs", "export", second, "--to", "second.parquet").code == 0
    for run_id in (second, third):
        assert harness("runs", "rm", run_id).code == 0
    kept = {path.name: path.read_bytes() for path in (root / "machine.duckdb", root / "second.parquet")}
    files = ("second.parquet", "machine.duckdb")
    assert harness("runs", "merge", files[0]).code == 3
    for _ in range(2):
        done = harness("runs", "merge", *files)
        assert done.code == 0, done.err
    assert {name: (root / name).read_bytes() for name in kept} == kept
    made(root, "prompt:v1", db=DB[1])
    merged, alone = (next(r for r in runs(harness, *db) if r["arm"] == "prompt:v1") for db in ((), DB))
    assert (merged["run_id"], merged["content_hash"]) == (alone["run_id"], alone["content_hash"])


def test_a_part_that_was_changed_is_refused(harness, parts, root):
    """Rows that are not those that were stored, or an id that is another run's, are one line and merge nothing."""
    with duckdb.connect(str(root / "results" / "harness.duckdb")) as store:
        store.execute(
            "update predictions set label = 'bug' where label = 'billing' and run_id in (select run_id from runs "
            "where arm = 'tag-odds' and params ->> '$.shard.part' = '1')"
        )
    done = harness("runs", "merge")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "part 1 of 3 of tag-odds" in done.err
    assert "its rows are not those that were stored" in done.err
    with duckdb.connect(str(root / "results" / "harness.duckdb")) as store:
        (params,) = store.execute("select params::text from runs where arm = 'tag-odds' limit 1").fetchone()
        other = json.loads(params)
        other["shard"]["item_set"] = "s1:0000000000000000"
        store.execute("update runs set params = ? where arm = 'tag-odds'", [json.dumps(other)])
    done = harness("runs", "merge")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "would be another one" in done.err


def test_a_store_whose_table_is_a_view_is_not_read(harness, parts, root):
    """A view of a stranger's store could read any file of ours: neither merging nor copying asks it."""
    (root / "secret.csv").write_text("run_id,example_id\n")
    shutil.copy(root / "results" / "harness.duckdb", root / "machine.duckdb")
    with duckdb.connect(str(root / "machine.duckdb")) as store:
        store.execute("alter table predictions rename to real")
        store.execute(f"create view predictions as select * from real union all by name from '{root / 'secret.csv'}'")
    second = next(run["run_id"] for run in runs(harness) if run["name"] == "prompt:v1, part 2 of 3")
    assert harness("runs", "rm", second).code == 0
    for command in (("runs", "merge", "machine.duckdb"), ("store", "copy", "machine.duckdb", "copy.duckdb")):
        done = harness(*command)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert "its 'predictions' is a view, where a store has a table" in done.err


def test_more_shards_than_items(harness, root):
    """A shard without an item is a part like the others, and folds are merged to the folded run."""
    made(root, "tag-odds", of=3, limit=2)
    made(root, "tag-odds", of=2, folds=3)
    assert harness("runs", "merge").code == 0
    made(root, "tag-odds", folds=3, db=DB[1])
    limited, folded = runs(harness)[1], runs(harness)[0]
    assert (limited["n"], limited["purpose"], limited["status"]) == (2, "limited", "done")
    assert (folded["run_id"], folded["purpose"]) == (runs(harness, *DB)[0]["run_id"], "fold")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("baselines", "--shard", "9/8"), "--shard '9/8': expected i/n"),
        ((*EVAL, "--shard", "0/2"), "--shard '0/2': expected i/n"),
        ((*EVAL, "--shard", "1/2", "--stop-when-decided"), "--shard has a share"),
        ((*EVAL, "--shard", "1/2", "--watch"), "--shard does not go with it"),
        (("runs", "merge", "nothing.duckdb"), "there is no such file"),
        (("runs", "merge", "harness.toml"), "cannot be opened as a store"),
    ],
)
def test_mistakes_are_one_line(harness, root, arguments, said):
    """A wrong share, a file that is none and options that do not go together are told in one line, exit code 2."""
    done = harness(*arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
