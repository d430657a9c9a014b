"""Members of a fusion from predictions, as the store would give them."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.comparison import Answers
from harness.analysis.fusion.members import members
from harness.types import Outcome, Prediction

LABELS = ("a", "b", "c")


def drawn(arm, gold, rng, *, right, cost, failed=0.0, silent=0.0, scored=True):
    """Predictions of an arm that is right on a share of the items, and surer where it is."""
    made = {}
    for i, label in enumerate(gold):
        draw = rng.random()
        outcome = Outcome.FAILED if draw < failed else Outcome.ABSTAINED if draw < failed + silent else Outcome.ANSWERED
        is_right = rng.random() < right
        wrong = LABELS[(LABELS.index(label) + 1 + int(rng.integers(2))) % 3]
        score = round(float(rng.beta(5, 2) if is_right else rng.beta(3, 3)), 2)
        answered = outcome is Outcome.ANSWERED
        made[f"i{i}"] = Prediction(
            f"i{i}",
            outcome,
            label=(label if is_right else wrong) if answered else None,
            score=score if answered and scored else None,
            error="TransientError: gone" if outcome is Outcome.FAILED else None,
            cost_usd=None if outcome is Outcome.FAILED else cost,
            latency_s=None if outcome is Outcome.FAILED or cost is None else cost * (1 + i % 5),
            path=(arm,),
        )
    return made


def rows(predictions, gold, groups=None):
    """The frame that the store would give for the predictions."""
    frame = pd.DataFrame(
        [
            (p.item_id, g, p.outcome.value, p.label, p.score, p.cost_usd, p.latency_s)
            for p, g in zip(predictions.values(), gold, strict=True)
        ],
        columns=["example_id", "gold", "outcome", "label", "score", "cost_usd", "latency_s"],
    ).astype({"score": float, "cost_usd": float, "latency_s": float})
    right = (frame["label"] == frame["gold"]).astype(float)
    return frame.assign(credit=right.where(frame["outcome"] != "failed"), group=groups)


@pytest.fixture
def made():
    """Makes arms on `n` items: their predictions by arm, and the `Members` of the same arms."""

    def make(n=120, seed=0, groups=None, **arms):
        rng = np.random.default_rng(seed)
        gold = [LABELS[i % 3] for i in range(n)]
        said = {arm: drawn(arm, gold, rng, **how) for arm, how in arms.items()}
        return said, members([Answers(arm, rows(p, gold, groups)) for arm, p in said.items()])

    return make
