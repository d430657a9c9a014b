"""Every figure once more, from the raw tables alone: runs, predictions and examples, joined by hand in pandas."""

from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

STORE = Path("results") / "harness.duckdb"


def table(store, name):
    """A table as it lies in the store."""
    with duckdb.connect(str(store), read_only=True) as connection:
        found = connection.execute(
            f"select {'* exclude (started_at, finished_at)' if name == 'runs' else '*'} from {name}"
        )
        return pd.DataFrame(found.fetchall(), columns=[column[0] for column in found.description], dtype=object)


class Raw:
    """A store's tables, and what follows from them for runs that are named by their ids."""

    def __init__(self, root, ref="tk@v1"):
        store = Path(root) / STORE
        self.runs = table(store, "runs").set_index("run_id")
        self.examples = table(store, "examples")
        rows = table(store, "predictions").merge(self.runs[["dataset_id", "split"]], left_on="run_id", right_index=True)
        rows = rows.merge(self.examples, on=["dataset_id", "example_id"], suffixes=("", "_of_item"))
        answered = (rows["outcome"] == "answered") & (rows["label"] == rows["gold"])
        rows["right"] = answered.astype(float).where(rows["outcome"] != "failed", np.nan)
        self.rows = rows
        ids = self.runs.loc[self.runs["dataset"] == ref, "dataset_id"].unique()
        mine = self.examples[self.examples["dataset_id"].isin(list(ids))]
        self.sizes = Counter(mine["split"])

    def of(self, run_ids):
        """The rows of some runs."""
        return self.rows[self.rows["run_id"].isin(list(run_ids))]

    def scores(self, run_ids, items=None):
        """Each item's share of right answers over the runs, by id; without the items on which every call failed."""
        found = self.of(run_ids).groupby("example_id")["right"].mean().dropna()
        return found if items is None else found[found.index.isin(list(items))]

    def items(self, run_ids):
        """The items that the runs were asked."""
        return set(self.of(run_ids)["example_id"])

    def accuracy(self, run_ids, items=None):
        """The mean over items of the mean over runs."""
        return float(self.scores(run_ids, items).mean())

    def outcomes(self, run_id):
        """How often each outcome occurs."""
        counts = Counter(self.of([run_id])["outcome"])
        return {name: counts[name] for name in ("answered", "abstained", "unparsed", "refused", "failed")}

    def pair(self, a, b, items=None):
        """The 2x2 table and the mean difference of two rows on the items that both have a score for."""
        one, other = self.scores(a, items).align(self.scores(b, items), join="inner")
        hits, others = one > 0.5, other > 0.5
        return {
            "n": len(one),
            "both": int((hits & others).sum()),
            "only_a": int((hits & ~others).sum()),
            "only_b": int((~hits & others).sum()),
            "neither": int((~hits & ~others).sum()),
            "difference": float((one - other).mean()),
        }

    def pair_with(self, scores, run_ids):
        """Items, and how many only these scores and only the runs were right on."""
        one, other = scores.align(self.scores(run_ids), join="inner")
        hits, others = one > 0.5, other > 0.5
        return len(one), int((hits & ~others).sum()), int((~hits & others).sum())

    def members(self, run_ids):
        """A run an arm, on the items that all of them were asked: labels, confidence and gold, an item per row."""
        frames = [self.of([run_id]).set_index("example_id").sort_index() for run_id in run_ids]
        shared = sorted(set.intersection(*(set(frame.index) for frame in frames)))
        return [frame.loc[shared] for frame in frames]

    def cascade(self, cheap, dear, threshold):
        """The share of right answers when the cheap arm's answer stands from a score on; None: it never stands."""
        first, second = self.members([cheap, dear])
        sure = first["score"].fillna(1.0).astype(float)
        stands = (first["outcome"] == "answered") & (sure >= (np.inf if threshold is None else threshold))
        return float(first["right"].where(stands, second["right"]).mean())

    def vote(self, run_ids, chooser_ids):
        """The share of right answers of a plain majority; the arm that was better on the choosing split breaks ties."""
        members = self.members(run_ids)
        trust = [frame["right"].mean() for frame in self.members(chooser_ids)]
        order = sorted(range(len(members)), key=lambda place: -trust[place])
        hits = []
        for item in members[0].index:
            said = [members[place].loc[item, "label"] for place in order]
            said = [label for label in said if label is not None]
            most = max(Counter(said).values(), default=0)
            answer = next((label for label in said if said.count(label) == most), None)
            hits.append(answer == members[0].loc[item, "gold"])
        return float(np.mean(hits))

    def on_split(self, run_id, split):
        """The run of the same arm on another split: its newest whole one there."""
        run = self.runs.loc[run_id]
        there = self.runs[(self.runs["split"] == split) & (self.runs["dataset_id"] == run["dataset_id"])]
        there = there[
            (there["arm"] == run["arm"]) & (there["seed"] == run["seed"]) & (there["repeat"] == run["repeat"])
        ]
        there = there[~there["params"].astype(str).str.contains("training_part|folds")]
        if not run["arm"].startswith("import:"):
            there = there[there["arm_id"] == run["arm_id"]]
        assert len(there) == 1, f"{run['arm']}: {len(there)} runs on {split}"
        return there.index[0]
