"""A candidate's and a baseline's rows, made from arrays that say on which items each was right."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.gate import Measured, Side

LABELS = ("bug", "billing", "question", "other")


def rows(arm, right, gold, *, group=None, run="s1:0000000000000001", **columns):
    """Rows as `Store.predictions` has them: `right` holds True, False or None (failed) per item."""
    names = LABELS if set(gold) <= set(LABELS) else sorted(set(gold))
    wrong = {label: names[(i + 1) % len(names)] for i, label in enumerate(names)}
    said = [None if r is None else g if r else wrong[g] for r, g in zip(right, gold, strict=True)]
    return pd.DataFrame(
        {
            "run_id": run,
            "arm": arm,
            "example_id": [f"i{i}" for i in range(len(gold))],
            "group": group,
            "gold": gold,
            "outcome": ["failed" if s is None else "answered" for s in said],
            "label": said,
            "credit": [np.nan if r is None else float(r) for r in right],
            "score": np.nan,
            "cost_usd": 0.001,
            "latency_s": 0.1,
        }
        | columns
    )


def measured(candidate, baseline, *, gold=None, group=None, candidate_columns=None, **more):
    """What the gate reads, from two arrays of right and wrong."""
    gold = [LABELS[i % len(LABELS)] for i in range(len(candidate))] if gold is None else gold
    mine = rows("prompt:v2", candidate, gold, group=group, **(candidate_columns or {}))
    theirs = rows("prompt:v1", baseline, gold, group=group)
    return Measured(
        Side("prompt:v2", "s1:0000000000000002"),
        Side("prompt:v1", "s1:0000000000000001"),
        mine,
        theirs,
        "tickets@v1",
        "s1:d",
        "test",
        tuple(mine["example_id"]),
        **more,
    )


def from_table(both, only_a, only_b, neither):
    """Candidate's and baseline's right and wrong, for the cells of a 2x2 table."""
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return a, b


def drawn(rng, n, only_a, only_b, accuracy=0.8):
    """Right and wrong of both, the cells of the table drawn with these probabilities."""
    both = max(0.0, accuracy - only_b)
    cells = rng.choice(4, size=n, p=[both, only_a, only_b, 1 - both - only_a - only_b])
    return (cells == 0) | (cells == 1), (cells == 0) | (cells == 2)


@pytest.fixture
def find():
    """The check of that name in a report."""

    def found(report, name):
        (one,) = [check for check in report.checks if check.name.startswith(name)]
        return one

    return found
