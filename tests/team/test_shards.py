"""Shards in a lake, merged there: the run that one process stores in a file."""

from harness import datasets
from harness.app.project import Project, merging
from harness.arms.prompts import files
from harness.ground import workspace
from harness.ground.clock import SystemClock
from harness.ground.shards import Shard
from harness.models import stack
from harness.runs import building, sharding
from harness.runs.scope import Scope
from tests.app.standing import carried_out
from tests.team import lakes


def test_shards_are_merged_in_a_lake(postgres, root):
    """Two shards in the lake and one in a file become, there, the run of one process; it is one look at the split."""
    space, clock = workspace.find(root, root), SystemClock()
    dataset, prompt = datasets.load(root, "tickets@v1"), files.load(root, "tickets", "v1")
    lake, machine, alone = (Project(space, clock, root / f"{name}.duckdb") for name in ("lake", "machine", "alone"))
    lake.store = lakes.opened(postgres.database(), root)
    for project, shard in ((lake, Shard(1, 3)), (lake, Shard(2, 3)), (machine, Shard(3, 3)), (alone, None)):
        with project.ledger() as ledger:
            scope, asking = Scope(dataset, "test"), stack.Asking("fake/first")
            job = building.prompt_job(prompt, scope, asking, space, ledger, clock)
            carried_out(project, dataset, sharding.of_job(job, shard))
    came = merging.merge(lake, [root / "machine.duckdb"])
    assert (len(came.merged), came.removed, came.lacking) == (1, 2, ())
    columns = ["run_id", "content_hash", "n", "n_failed", "item_set", "purpose", "status"]
    merged, one = (project.store.runs()[columns].to_dict("records") for project in (lake, alone))
    assert merged == one
    assert lake.store.looks(dataset.id, "test") == 1
    again = merging.merge(lake, [root / "machine.duckdb"])
    assert ([run.is_new for run in again.merged], again.removed) == ([False], 0)
    assert lake.store.runs()[columns].to_dict("records") == one
    lake.store.close()
