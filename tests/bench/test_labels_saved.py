"""How many labels the predictions save on Banking77: arms that learnt from the training split, test labels revealed.

`harness estimate` beside gold alone, on the 3,080 test items, for plain draws of 40 to 300 labels. Arms learn from the
quarter of the training rows that the neighbouring bench uses; what they answer to test items is guessed from by
agreement and scores alone, cross-fitted on the labels that are revealed.
"""

from dataclasses import replace
from itertools import combinations, product
from statistics import median

import numpy as np

from harness.analysis.estimation import Estimation
from harness.app.project import estimating
from tests.app.standing import carried_out
from tests.bench.test_served_banking77 import job, made, pytestmark  # noqa: F401  (a fixture, and its marks)

ARMS = ("rules", "tag-odds", "bow-svm", "char-svm", "tfidf-lr", "minilm-zero", "minilm-knn", "minilm-lr")
SIZES = (40, 80, 150, 300)
SEEDS = 12


def test_labels_saved(made, table):  # noqa: F811
    """Of the labels that gold alone would need for the same width, the median part that estimates do without."""
    with made.project.ledger() as ledger:
        for arm in ARMS:
            carried_out(made.project, made.dataset, job(made, arm, "test", ledger))
    gold = {example.item.id: example.label for example in made.dataset.in_split("test")}
    everything = estimating.estimate(made.project, made.dataset, "test", {})
    truth = {arm.name: arm.accuracy.estimate.value for arm in everything.estimation.arms()}
    saved = {}

    def count(n, name, one, true):
        part, inside = one.labels_saved / (n + one.labels_saved), one.estimate.low <= true <= one.estimate.high
        saved.setdefault((n, name), []).append((part, inside))

    alike = [name for name in truth if name not in ("rules", "minilm-zero")]
    for n, seed in product(SIZES, range(SEEDS)):
        chosen = np.random.default_rng(seed).choice(sorted(gold), n, replace=False)
        found = few(everything, {str(item): gold[item] for item in chosen})
        for arm in found.arms():
            count(n, arm.name, arm.accuracy, truth[arm.name])
        for a, b in combinations(alike, 2):
            count(n, "differences", found.difference(a, b), truth[a] - truth[b])
    for (n, name), of in saved.items():
        table(f"{n:4} {name:12} fewer by {median(one for one, _ in of):.2f}, covered {np.mean([i for _, i in of]):.2f}")
    parts, inside = zip(*(one for of in saved.values() for one in of), strict=True)
    table(f"median {median(parts):.2f}, covered {np.mean(inside):.3f}")
    assert median(parts) >= 0.25
    assert np.mean(inside) >= 0.94


def few(of_all, labels):
    """The same answers with some labels revealed."""
    old = of_all.estimation
    return Estimation(old.answered, replace(old.gold, of=labels))
