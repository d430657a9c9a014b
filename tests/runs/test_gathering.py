"""Runs stored in groups: the first at once, none held for long, none lost by a stop."""

from dataclasses import replace

import pytest

from harness import datasets
from harness.errors import StoreError
from harness.ground.clock import VirtualClock
from harness.runs.gathering import HELD_S, MOST_ROWS, Gathering
from harness.store import Store
from harness.types import Outcome, Prediction, Run

RUN = Run("s1:aaaa", "", "test", "arm", "s1:arm", purpose="part")


def add(gathering, name, n=1):
    gathering.add(replace(RUN, id=name), [Prediction("i", Outcome.ANSWERED, "bug")] * n)
    gathering.store_due()


def test_the_first_run_is_stored_at_once_and_others_together():
    """Those of some seconds are one group, at the latest when they are over; `close` stores the rest, once."""
    groups, clock = [], VirtualClock()
    one = Gathering(lambda runs: groups.append([run.id for run, _ in runs]), clock)
    for name in "abc":
        add(one, name)
    assert groups == [["a"]]
    clock.pause(HELD_S)
    one.store_due()
    one.store_due()
    assert groups == [["a"], ["b", "c"]]
    add(one, "d")
    add(one, "e", MOST_ROWS)
    assert groups[2:] == [["d", "e"]]
    add(one, "f")
    one.close()
    one.close()
    assert groups[3:] == [["f"]]


def test_what_was_held_when_a_write_was_stopped_is_stored_at_the_end():
    """Ctrl-C leaves it for `close`; what the store refuses is raised, and not tried again."""
    for error, then in ((KeyboardInterrupt(), [["a"]]), (StoreError("full"), [])):
        errors, groups = [error], []

        def store(runs, errors=errors, groups=groups):
            if errors:
                raise errors.pop()
            groups.append([run.id for run, _ in runs])

        one = Gathering(store, VirtualClock())
        with pytest.raises(type(error)):
            add(one, "a")
        one.close()
        assert groups == then


def test_a_group_is_what_its_runs_are_one_by_one(root):
    """Rows, hashes, looks and who stands for an arm: the same as started, appended and finished each; again, too."""
    dataset = datasets.load(root, "tickets@v1")
    items = [example.item.id for example in dataset.in_split("test")]
    runs = [replace(RUN, id=f"s1:{i}", dataset_id=dataset.id, n_train=i, purpose=p) for i, p in
            enumerate(("part", "part", "whole"))]  # fmt: skip
    said = [[Prediction(item, Outcome.ANSWERED, label) for item in items] for label in ("bug", "billing", "account")]
    said[1][0] = Prediction(items[0], Outcome.FAILED, error="TransientError: down")
    single, group = (Store(root / f"{name}.duckdb", VirtualClock()) for name in ("single", "group"))
    for store in (single, group):
        store.add_dataset(dataset)
    for run, predictions in zip(runs, said, strict=True):
        single.start_run(run, dataset.ref, "0")
        single.append(run.id, predictions)
        single.finish_run(run.id, "done", 0.0, None)
    for _ in range(2):
        group.add_runs(list(zip(runs, said, strict=True)), dataset.ref, "0")
    assert group.runs().astype(str).equals(single.runs().astype(str))
    for rows in ("* from predictions", "run_id, dataset_id, split from looks", "* from members"):
        one, other = (store.query(f"select {rows} order by all").astype(str) for store in (single, group))
        assert one.equals(other), rows
    assert group.verify() == []


def test_a_group_is_there_whole_or_not_at_all(root):
    """A run that cannot be entered leaves none of the others."""
    dataset = datasets.load(root, "tickets@v1")
    store = Store(root / "store.duckdb", VirtualClock())
    store.add_dataset(dataset)
    item = dataset.in_split("test")[0].item.id
    fine, broken = (replace(RUN, id=name, dataset_id=dataset.id) for name in ("s1:fine", "s1:broken"))
    rows = [Prediction(item, Outcome.ANSWERED, "bug"), Prediction(item, Outcome.ANSWERED, "bug", attempts="many")]
    with pytest.raises(Exception, match="many"):
        store.add_runs([(fine, rows[:1]), (broken, rows[1:])], dataset.ref, "0")
    assert store.query("select count(*) as n from runs")["n"].tolist() == [0]
    assert store.query("select count(*) as n from predictions")["n"].tolist() == [0]
