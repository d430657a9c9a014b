"""Where some items are looked at: what is summed is that of all, what is compared is theirs, and that is said."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from harness.app.project import Project
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from harness.report import build
from harness.types import Outcome
from tests.worlds.building import WORLDS

every_world = pytest.mark.parametrize("name", WORLDS)
SOME = 11
BRIEF = ("plain", "two_models", "groups")  # a report takes seconds


def project_of(world, most_items=100_000):
    space = find(world.root, world.root)
    return Project(replace(space, preferences=replace(space.preferences, most_items=most_items)), SystemClock())


def number(item_id):
    return int.from_bytes(hashlib.md5(item_id.encode(), usedforsecurity=False).digest()[8:], "little")


def held(raw, run_ids, ids):
    """What the draw is, without the database: those of the smallest share of all numbers, and all of small runs."""
    sizes = {run_id: len(raw.items([run_id])) for run_id in run_ids}
    small = raw.items([run_id for run_id, n in sizes.items() if n <= SOME])
    bound = (1 << 64) * SOME // max(sizes.values())
    return {one for one in ids if number(one) < bound or one in small}


def same(mine, other):
    assert mine.outcomes == {**dict.fromkeys(Outcome, 0), **other.outcomes}
    assert (mine.calls, mine.tokens, mine.latency_n, mine.unanswered) == (
        other.calls, other.tokens, other.latency_n, other.unanswered,
    )  # fmt: skip
    for name in ("cost_usd", "billed_usd", "cost_per_1000_usd"):
        assert getattr(mine, name) == pytest.approx(getattr(other, name)), name
    assert dict(mine.latency_s) == pytest.approx(dict(other.latency_s))


@every_world
def test_what_is_summed_is_that_of_all_items(built, name):
    """Outcomes, money, tokens, calls and times of every run, whichever items its metrics are of."""
    world, raw = built(name)
    whole, part = (project_of(world, most) for most in (100_000, SOME))
    everything, some = (one.results(one.dataset(world.ref), "test") for one in (whole, part))
    n_all = everything.split.n
    assert some.split.subsample_of == n_all
    by_id = {one.run.run_id: one for one in everything.runs}
    where = part.where(part.dataset(world.ref), "test")
    run_ids = [run.run_id for arm in part.store.selection().arms(where) for run in arm.runs]
    for one in some.runs:
        same(one, by_id[one.run.run_id])
        ids = held(raw, run_ids, raw.items([one.run.run_id]))
        assert one.n == len(ids & set(some.predictions["example_id"]))
        assert one.headline.value == pytest.approx(raw.accuracy([one.run.run_id], ids), nan_ok=True)
    pooled = {one.run.name: one for one in everything.by_arm.runs}
    for one in some.by_arm.runs:
        assert one.outcomes == pooled[one.run.name].outcomes
        assert one.cost_usd == pytest.approx(pooled[one.run.name].cost_usd)
        assert (one.calls, one.tokens) == (pooled[one.run.name].calls, pooled[one.run.name].tokens)


@pytest.mark.parametrize(
    "name", [name if name in BRIEF else pytest.param(name, marks=pytest.mark.sims) for name in WORLDS]
)
def test_whoever_reads_is_told_which_items_these_are(built, name):
    """Report, arms side by side and a pair say the two numbers, and look at the same items; no SQL stands by."""
    world, _ = built(name)
    project = project_of(world, SOME)
    dataset = project.dataset(world.ref)
    results = project.results(dataset, "test")
    told = f"of {results.split.n:,} of the {results.split.subsample_of:,} items, drawn by their ids"
    page = build.build(results)["report.html"].decode()
    assert told in page
    assert "from scorecard(" not in page
    beside = project.side_by_side(dataset, "test")
    assert told in beside.note
    assert beside.panel.asked.any(axis=1).sum() == results.split.n
    arms = project.rows([one for one in project.store.selection().arms(project.where(dataset, "test"))])
    assert all(told in one.left_out for one in arms)
    items = set(results.predictions["example_id"])
    assert set().union(*(one.rows["example_id"] for one in arms)) >= items
    assert np.isfinite(results.leaders[0].headline.value)
