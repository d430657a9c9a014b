"""Published accuracies on Banking77 (Casanueva et al. 2020), reached through the arms as they ship.

Needs the two CSV files of PolyAI's task-specific-datasets beside the checkout, in
`../shared/data/banking77`; the text is encoded anew, into a cache of the test's own.
"""

import csv
import inspect
import time
from pathlib import Path

import numpy as np
import pytest

from harness import plugins
from harness.types import Item

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "banking77"
FLOORS = {"tfidf-lr": 0.885, "tfidf-svm": None, "char-svm": None, "minilm-lr": 0.925, "minilm-knn": 0.915}

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="Banking77 is not in ../shared/data beside the checkout"),
]


def examples(name):
    """The items and labels of one file."""
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [Item(f"{name}:{i}", row["text"]) for i, row in enumerate(rows)], [row["category"] for row in rows]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for all arms, empty at first: the first arm that embeds pays."""
    return str(tmp_path_factory.mktemp("cache") / "embeddings.sqlite")


@pytest.mark.parametrize("name", FLOORS)
def test_accuracy_on_banking77(name, cache, capsys):
    """Fitted on the 10,003 training rows, the arm reaches its floor on the 3,080 test rows."""
    build = plugins.load("baselines", name).build
    options = {"cache": cache} if "cache" in inspect.signature(build).parameters else {}
    items, labels = examples("train.csv")
    asked, gold = examples("test.csv")
    assert (len(items), len(asked)) == (10_003, 3_080)
    start_s = time.perf_counter()
    classifier = build(**options).fit(items, labels)
    fitted_s = time.perf_counter()
    accuracy = float(np.mean(classifier.predict(asked) == np.array(gold)))
    done_s = time.perf_counter()
    with capsys.disabled():
        line = f"{name:<12}{accuracy:.4f}   fit {fitted_s - start_s:5.1f} s   predict {done_s - fitted_s:5.1f} s"
        print(f"\n{line}")
    assert FLOORS[name] is None or accuracy >= FLOORS[name]
