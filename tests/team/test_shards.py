"""Shards in a lake, merged there or taken from there: the run that one process stores in a file."""

import json

from harness import datasets
from harness.app.project import Project, merging
from harness.arms.prompts import files
from harness.ground import workspace
from harness.ground.clock import SystemClock
from harness.ground.shards import Shard
from harness.models import stack
from harness.runs import building, sharding
from harness.runs.scope import Scope
from harness.store.lake.address import PREFIX
from tests.app.standing import carried_out
from tests.team import lakes

COLUMNS = ["run_id", "content_hash", "n", "n_failed", "item_set", "purpose", "status"]


def facts(project):
    return project.store.runs()[COLUMNS].to_dict("records")


def spread(postgres, root):
    """Two shards of a prompt's run in a lake, one in a file, the whole in another: the three projects."""
    space, clock = workspace.find(root, root), SystemClock()
    dataset, prompt = datasets.load(root, "tickets@v1"), files.load(root, "tickets", "v1")
    lake, machine, alone = (Project(space, clock, root / f"{name}.duckdb") for name in ("lake", "machine", "alone"))
    lake.store = lakes.opened(postgres.database(), root)
    for project, shard in ((lake, Shard(1, 3)), (lake, Shard(2, 3)), (machine, Shard(3, 3)), (alone, None)):
        with project.ledger() as ledger:
            scope, asking = Scope(dataset, "test"), stack.Asking("fake/first")
            job = building.prompt_job(prompt, scope, asking, space, ledger, clock)
            carried_out(project, dataset, sharding.of_job(job, shard))
    return lake, machine, alone


def test_shards_are_merged_in_a_lake(postgres, root):
    """Two shards in the lake and one in a file become, there, the run of one process; it is one look at the split."""
    lake, _, alone = spread(postgres, root)
    came = merging.merge(lake, [root / "machine.duckdb"])
    assert (len(came.merged), came.removed, came.lacking) == (1, 2, ())
    assert facts(lake) == facts(alone)
    assert lake.store.looks(datasets.load(root, "tickets@v1").id, "test") == 1
    again = merging.merge(lake, [root / "machine.duckdb"])
    assert ([run.is_new for run in again.merged], again.removed) == ([False], 0)
    assert facts(lake) == facts(alone)
    lake.store.close()


def test_shards_are_taken_from_a_lake(postgres, root):
    """Beside a file they become, in a store of its own, the run of one process; the lake stays at its snapshot."""
    lake, _, alone = spread(postgres, root)
    before = lake.store.snapshot()
    merge = ["runs", "merge", lake.store.name, "machine.duckdb", "--json"]
    came = json.loads(lakes.harness(root, *merge, "--db", "merged.duckdb"))
    assert ([(run["n"], run["is_new"]) for run in came["merged"]], came["removed"]) == ([(30, True)], 0)
    merged = Project(workspace.find(root, root), SystemClock(), root / "merged.duckdb")
    assert facts(merged) == facts(alone)
    assert [*merged.store.prompts([facts_of_prompt(alone)])["version"]] == ["v1"]
    lake.store.close()
    assert lake.store.snapshot() == before
    once_more = json.loads(lakes.harness(root, "runs", "merge", lake.store.name, "--db", "merged.duckdb", "--json"))
    assert [run["is_new"] for run in once_more["merged"]] == [False]
    lake.store.close()


def facts_of_prompt(project):
    """The id of the prompt of the only run."""
    return json.loads(project.store.runs()["params"].iloc[0])["prompt"]


def test_a_lake_that_is_not_there_or_may_not_be_named_is_one_line(postgres, root):
    """An address with a password is refused and not shown; an empty database holds no store."""
    empty = f"{PREFIX}{postgres.database()}"
    for place, words in ((empty, "there is no store at"), (f"{PREFIX}dbname=x password=not-shown", "password")):
        done = lakes.run(root, "runs", "merge", place)
        assert (done.returncode, words in done.stderr, done.stderr.count("\n")) == (2, True, 1)
        assert "not-shown" not in done.stdout + done.stderr
