"""What must hold of a store wherever its tables are: a class of tests, for which each place gives a `store`.

The fixtures are for a conftest to import.
"""

from dataclasses import replace

import pytest

from harness import datasets
from harness.types import Outcome, Prediction, Run, Usage

RUN = Run("s1:aaaaaaaaaaaaaaaa", "s1:data", "test", "arm", "s1:arm", model="openai/m", params={"k": 1}, n_train=7)


@pytest.fixture
def dataset(root):
    """The tickets."""
    return datasets.load(root, "tickets@v1")


@pytest.fixture
def run(store, dataset):
    """A run on the tickets, started."""
    store.add_dataset(dataset)
    made = replace(RUN, dataset_id=dataset.id)
    store.start_run(made, dataset=dataset.ref, code_version="0")
    return made


def answered(dataset, n=5, **more):
    """The same answer to some of the test items."""
    examples = dataset.in_split("test")[:n]
    return [Prediction(e.item.id, Outcome.ANSWERED, label="billing", score=0.5, **more) for e in examples]


class StoreContract:
    """A subclass is where a fixture `store` is an empty store."""

    def test_what_goes_in_comes_out(self, store, run, dataset):
        """Every field of a prediction is read back as it was, joined with its gold label, text and tags."""
        (item,) = dataset.in_split("test")[:1]
        full = Prediction(
            item.item.id,
            Outcome.ANSWERED,
            label="billing",
            score=0.75,
            scores={"billing": 0.75, "bug": 0.25},
            raw=" Billing\x00\ud800",
            usage=Usage(1, 2, 3, 4, 5),
            cost_usd=0.001,
            billed_usd=0.0,
            latency_s=0.2,
            cached=True,
            attempts=3,
            request_id="r",
            path=("a", "b"),
        )
        store.append(run.id, [full])
        assert store.stored(run.id) == {item.item.id: replace(full, raw=" Billing\x00\\ud800")}
        (row,) = store.query("select * from scored").to_dict("records")
        kinds = ("input_fresh", "cache_read", "cache_write", "output_visible", "reasoning")
        assert [row[kind] for kind in kinds] == [1, 2, 3, 4, 5]
        assert (row["gold"], row["text"], row["arm"], row["split"]) == (item.label, item.item.text, "arm", "test")
        is_right = item.label == "billing"
        assert (row["credit"], row["correct"], list(row["path"])) == (float(is_right), is_right, ["a", "b"])

    def test_a_failed_item_is_neither_right_nor_wrong_and_is_asked_again(self, store, run, dataset):
        """`correct` is null; the item is not done; the next prediction replaces it; a good one stays."""
        (first, second) = answered(dataset, 2)
        failed = Prediction(first.item_id, Outcome.FAILED, error="TransientError: down")
        store.append(run.id, [failed, second])
        assert store.done(run.id) == {second.item_id}
        correct = dict(store.query("select example_id, correct from scored").itertuples(index=False))
        assert correct[first.item_id] is None
        store.append(run.id, [first, replace(second, label="bug")])
        labels = {one.item_id: one.label for one in store.stored(run.id).values()}
        assert labels == {first.item_id: "billing", second.item_id: "billing"}

    @pytest.mark.quick
    def test_storing_twice_changes_nothing(self, store, run, dataset):
        """Datasets, prompts, starts, predictions, ends and looks: what is done again leaves each row once."""
        for _ in range(2):
            store.add_dataset(dataset)
            store.add_prompt("s1:p", "tickets", "v1", "say it")
            store.start_run(run, dataset=dataset.ref, code_version="0")
            store.append(run.id, [*answered(dataset), *answered(dataset)])
            store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
        sizes = dict.fromkeys(("datasets", "prompts", "looks", "runs", "members"), 1)
        sizes |= {"examples": len(dataset.examples), "predictions": 5}
        for table, n in sizes.items():
            assert store.query(f"select count(*) n from {table}")["n"].tolist() == [n], table
        assert store.verify() == []

    def test_a_finished_run_is_counted_hashed_and_looked_at(self, store, run, dataset):
        """Rows, content hash and the look at the split; the times of a resumed run add up; the macro shows it."""
        store.append(run.id, answered(dataset))
        for wall_s, fit_s in ((2.0, 1.0), (3.0, None)):
            store.start_run(run, dataset=dataset.ref, code_version="0")
            store.finish_run(run.id, status="done", wall_s=wall_s, fit_s=fit_s)
        (row,) = store.runs().to_dict("records")
        assert (row["n"], row["wall_s"], row["fit_s"], row["status"]) == (5, 5.0, 1.0, "done")
        assert row["dataset"] == "tickets@v1"
        assert store.looks(dataset.id, "test") == 1
        (shown,) = store.query("from scorecard('tickets@v1', 'test')").to_dict("records")
        assert (shown["run_id"], shown["items"]) == (run.id, 5)
        assert store.verify() == []

    def test_a_tag_belongs_to_one_run_and_a_removed_run_was_looked_at(self, store, run, dataset):
        """A tag moves, purposes stay; a run that is removed takes its rows with it, and the look at the split stays."""
        later = replace(run, id="s1:aaaaaaaaaaaaaabb", purpose="limited")
        for one in (run, later):
            store.start_run(one, dataset=dataset.ref, code_version="0")
            store.append(one.id, answered(dataset))
            store.finish_run(one.id, status="done", wall_s=1.0, fit_s=None)
            store.tag_run(one.id, "pinned")
        assert [(one.run_id, one.tag, one.purpose) for one in store.selection().runs] == [
            (run.id, None, "whole"),
            (later.id, "pinned", "limited"),
        ]
        store.remove_run(run.id)
        assert [one.run_id for one in store.selection().runs] == [later.id]
        assert store.done(run.id) == set()
        assert store.looks(dataset.id, "test") == 2

    def test_runs_that_are_entered_together_are_there_once(self, store, run, dataset):
        """Several whole runs in one transaction, again and in another order: each row once, all as they were stored."""
        others = [replace(run, id=f"s1:{digit * 16}", purpose="part") for digit in "bcd"]
        for runs in (others, others[::-1]):
            store.add_runs([(one, answered(dataset)) for one in runs], dataset.ref, "0")
        assert store.query("select count(*) n, count(distinct run_id) runs from predictions").to_dict("list") == {
            "n": [15],
            "runs": [3],
        }
        assert store.looks(dataset.id, "test") == 1
        assert store.verify() == []
