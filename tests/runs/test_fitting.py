"""Arms fitted by workers: the same arms, to the last digit."""

from dataclasses import replace

from harness import datasets
from harness.app.project import Project, spreading
from harness.ground.clock import SystemClock
from harness.ground.spread_settings import Spread
from harness.runs import building, executors
from harness.runs.scope import Scope
from tests.app.standing import carried_out

ROWS = "select arm, split, example_id, outcome, label, score, scores::text from scored order by all"


def answered(root, workspace, executor):
    """What two arms, one of them in folds too, answered when an executor fitted them; and what was told."""
    spread = Spread(executor, workers=2)
    space = replace(workspace, preferences=replace(workspace.preferences, spread=spread))
    project, told = Project(space, SystemClock(), root / f"{executor}.duckdb"), []
    dataset = datasets.load(root, "tickets@v1")
    scope = Scope(dataset, "test")
    jobs = [building.baseline_job(arm, scope, space, project.clock) for arm in ("tfidf-lr", "tag-odds", "rules")]
    choice = building.BaselineChoice(folds=3)
    jobs.append(building.baseline_job("tfidf-lr", Scope(dataset, "train"), space, project.clock, choice=choice))
    for job in spreading.fitted(project, jobs, told.append):
        with executors.threads(spread):
            carried_out(project, dataset, job)
    with project.store.reader() as select:
        rows = select(ROWS)
        times = select("select fit_s > 0 as is_timed from runs")
    assert all(row["is_timed"] for row in times)
    assert spreading.fitted(project, jobs, told.append) == jobs
    return rows, told


def test_workers_fit_the_same_arms(root, workspace):
    """Folds and arms fitted by processes answer as those fitted here, scores to the bit; stored, nothing is fitted."""
    here, nothing = answered(root, workspace, "inline")
    there, told = answered(root, workspace, "processes")
    assert here == there
    assert len(here) == 3 * 30 + 60
    assert (nothing, told) == ([], ["fitting tfidf-lr, tag-odds, rules on 2 workers ..."])
