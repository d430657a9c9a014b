"""Items to label: drawn at random, or likelier where the stored answers leave most open, with known chances."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.app.project import estimating
from harness.datasets import sampling
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from harness.app.project.project import Project
    from harness.types import Dataset, Item

HOW = ("random", "uncertain", "disagreement", "discordant")
"""random: all alike. uncertain: the arms' doubt. disagreement: how far all answers are apart. discordant: where the
two arms that agree most with all others (or the two named) differ."""


def draw(
    project: Project, dataset: Dataset, items: Sequence[Item], n: int, how: str, seed: int
) -> list[sampling.Drawn]:
    """About n of the items, each with the number of items it stands for. `ConfigError` without the runs it takes."""
    if how == "random":
        return sampling.at_random(items, n, seed)
    worth = _worth(project, dataset, {item.id for item in items}, how)
    if not worth:
        raise ConfigError(
            f"{dataset.ref} has no stored run to ask, and --how {how} goes by stored answers; start with: "
            f"harness baselines --arm minilm-zero --dataset {dataset.ref}"
        )
    return sampling.by_worth(items, worth, n, seed)


def _worth(project: Project, dataset: Dataset, wanted: set[str], how: str) -> dict[str, float]:
    """How much a label would tell, by item."""
    rows = estimating.answers(project, dataset)
    rows = rows[rows["example_id"].isin(wanted)]
    if how == "discordant":
        return _discordant(rows)
    worth = {}
    for item, of_item in rows.groupby("example_id"):
        if how == "uncertain":
            scores = of_item["score"].dropna()
            worth[str(item)] = 1.0 if scores.empty else 1.0 - float(scores.mean())
        else:
            said = Counter(str(label) for label in of_item["label"])
            worth[str(item)] = 1.0 - said.most_common(1)[0][1] / len(of_item)
    return worth


def _discordant(rows: pd.DataFrame) -> dict[str, float]:
    """1 where the two arms that agree most with the others give different answers, 0 elsewhere."""
    if rows["run_id"].nunique() < 2:
        return {}
    table = rows.assign(label=rows["label"].fillna("").astype(str)).pivot_table(
        index="example_id", columns="run_id", values="label", aggfunc="first", fill_value=""
    )
    usual = table.mode(axis=1)[0]
    agreement = table.eq(usual, axis=0).mean().sort_values(ascending=False, kind="stable")
    first, second = agreement.index[:2]
    return {str(item): float(differs) for item, differs in (table[first] != table[second]).items()}
