"""The learning curves that a store holds for a split, read back for reports.

`harness curve` stores a run for each arm, number of labels and seed. Of an arm that has changed
since, its newest version counts, and of curves on different items those on most items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.curves import Curves, Fit, Learnt, Rival

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.results import Results, RunResult
    from harness.store import Store

    Sizes = Mapping[int, Mapping[int, str]]  # by number of labels and seed: the run

FEWEST = 2  # sizes: less is no curve


def stored(store: Store, frame: pd.DataFrame, n_training: int, results: Results) -> Curves | None:
    """The curves among the split's runs, held against the best prompt of the results; None without any.

    `frame` is `Store.runs`, `n_training` the size of the whole training split, of which there is one draw only.
    """
    by_arm = {arm: _table(sizes, n_training) for arm, sizes in _by_arm(_on_same_items(frame)).items()}
    by_arm = {arm: sizes for arm, sizes in by_arm.items() if len(sizes) >= FEWEST}
    if not by_arm:
        return None
    run_ids = [run_id for sizes in by_arm.values() for by_seed in sizes.values() for run_id in by_seed.values()]
    items, credit = _credit(store, run_ids)
    names = tuple(str(name) for name in items["example_id"])
    rival = _rival(results, set(names))
    scores = None if rival is None else _scores(results, rival)
    kept = np.array([scores is None or name in scores for name in names])
    return Curves(
        learnt=tuple(_learnt(arm, sizes, credit, names) for arm, sizes in by_arm.items()),
        fits=tuple(
            Fit(arm, run_id, n_labels, seed, int(kept.sum()), float(credit[run_id][kept].mean()))
            for arm, sizes in by_arm.items()
            for n_labels, by_seed in sizes.items()
            for seed, run_id in by_seed.items()
        ),
        groups={name: group for name, group in zip(names, items["group"], strict=True) if isinstance(group, str)},
        rival=None if rival is None or scores is None else Rival(rival.run.arm_name, scores),
        rival_id=None if rival is None else rival.run.run_id,
    )


def _on_same_items(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs on a part of the training split that were asked the same items: most of them, then the newest."""
    partial = frame[(frame["purpose"] == "part") & (frame["status"] == "done")]
    if partial.empty:
        return partial
    most = partial[partial["n"] == partial["n"].max()]
    return most[most["item_set"] == most["item_set"].iloc[-1]]


def _by_arm(runs: pd.DataFrame) -> dict[str, dict[int, dict[int, str]]]:
    """Each arm's runs by size and seed, of its newest version; the newest where there are several."""
    found: dict[str, dict[int, dict[int, str]]] = {}
    for arm, mine in runs.groupby("arm"):
        newest = mine[mine["arm_id"] == mine["arm_id"].iloc[-1]]
        sizes = found.setdefault(str(arm), {})
        for n_labels, seed, run_id in zip(newest["n_train"], newest["seed"], newest["run_id"], strict=True):
            sizes.setdefault(int(n_labels), {})[int(seed)] = str(run_id)
    return found


def _table(sizes: Sizes, n_training: int) -> dict[int, dict[int, str]]:
    """The sizes that have the same seeds, as many runs of them as there are, smallest first.

    A size that was stopped half way has too few. Of the whole training split one draw is all.
    """
    drawn = {n_labels: frozenset(by_seed) for n_labels, by_seed in sizes.items() if n_labels != n_training}
    choices = sorted(set(drawn.values()), key=lambda seeds: (len(seeds), sorted(seeds)))
    seeds = max(choices, key=lambda one: len(one) * sum(one <= other for other in drawn.values()), default=frozenset())
    table = {
        n_labels: {seed: sizes[n_labels][seed] for seed in sorted(seeds)}
        for n_labels in drawn
        if seeds <= drawn[n_labels]
    }
    if n_training in sizes:
        first = min(sizes[n_training])
        table[n_training] = {first: sizes[n_training][first]}
    return dict(sorted(table.items()))


def _credit(store: Store, run_ids: Sequence[str]) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """The items that were asked, and each run's credit for them."""
    items, columns = store.scores(list(enumerate(run_ids)))
    credit = np.zeros((len(run_ids), len(items)))
    credit[columns["arm"], columns["item"]] = np.nan_to_num(columns["score"])
    asked = np.unique(columns["item"])
    return items.iloc[asked], {run_id: row[asked] for run_id, row in zip(run_ids, credit, strict=True)}


def _learnt(arm: str, sizes: Sizes, credit: Mapping[str, NDArray[np.float64]], items: tuple[str, ...]) -> Learnt:
    most = max(len(by_seed) for by_seed in sizes.values())
    drawn = [np.array([credit[run_id] for run_id in by_seed.values()]) for by_seed in sizes.values()]
    whole = np.stack([np.repeat(one, most // len(one), axis=0) for one in drawn], axis=1)
    run_ids = tuple(run_id for by_seed in sizes.values() for run_id in by_seed.values())
    return Learnt(arm, tuple(sizes), whole, items, run_ids=run_ids)


def _rival(results: Results, items: set[str]) -> RunResult | None:
    """The best prompt that answered some of the items."""
    prompts = (one for one in results.runs if "prompt" in one.run.params and not one.run.repeat)
    return next((one for one in prompts if items & set(_scores(results, one))), None)


def _scores(results: Results, result: RunResult) -> dict[str, float]:
    """What a run scored on each item, failed ones left out."""
    rows = results.answers[result.run.run_id].rows.dropna(subset=["credit"])
    return {str(item): float(credit) for item, credit in zip(rows["example_id"], rows["credit"], strict=True)}
