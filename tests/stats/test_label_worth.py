"""The published worth of a prompt in labels, from the runs behind it (Le Scao and Rush 2021, table 1)."""

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from harness.stats.curves import label_worth

RUNS = json.loads((Path(__file__).parent / "label_worth.json").read_text())
TASKS = sorted(RUNS.keys() - {"source"})
# Where the authors' own tables lie, `<task>/wandb_export.csv` as they publish them; they are not ours to ship.
EXPORTS = os.environ.get("HARNESS_LABEL_WORTH_EXPORTS")
BEST_PATTERN = {"BoolQ": 0, "CB": 0, "COPA": 1, "RTE": 0, "WSC": 0}
RUN = re.compile(r"(CLF|PVP \d+) roberta seed \d+ - test-[a-z0-9-]+-all-p")


def best_so_far(runs):
    """What the best run reaches at every number of labels."""
    return np.nanmax(np.array(runs, dtype=float), axis=0)


def worth(labels, prompt, classifier):
    """How many labels the prompt saves."""
    return float(label_worth((labels, best_so_far(prompt)), (labels, best_so_far(classifier))))


def exported(path):
    """The label counts of an export and its runs, by method: `CLF` or `PVP` with the pattern's number."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    runs = {}
    for column in rows[0]:
        if found := RUN.fullmatch(column):
            runs.setdefault(found[1], []).append([float(row[column] or "nan") for row in rows])
    return [int(row["training_points"]) for row in rows], runs


@pytest.mark.parametrize("task", TASKS)
def test_published_worth(task):
    """752, 90, 288, 282 and 281 labels, to the digit."""
    runs = RUNS[task]
    assert round(worth(runs["labels"], runs["prompt"], runs["classifier"])) == runs["worth"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.skipif(EXPORTS is None, reason="HARNESS_LABEL_WORTH_EXPORTS names no folder with the authors' tables")
def test_published_worth_from_the_authors_own_tables(task):
    """The same from the tables as they were published."""
    labels, runs = exported(Path(EXPORTS) / task.lower() / "wandb_export.csv")
    assert round(worth(labels, runs[f"PVP {BEST_PATTERN[task]}"], runs["CLF"])) == RUNS[task]["worth"]


def test_an_export_is_read_by_method(tmp_path):
    """Runs with another verbalizer, step counters and spreads are passed over; an empty cell is no run."""
    (tmp_path / "x.csv").write_text(
        "training_points,CLF roberta seed 0 - _step,CLF roberta seed 0 - test-acc-all-p,"
        "CLF roberta seed 0 - test-acc-all-p__MAX,PVP 0 roberta neutral verbalizer seed 0 - test-acc-all-p,"
        "PVP 0 roberta seed 0 - test-acc-all-p,PVP 0 roberta seed 1 - test-acc-all-p\n"
        "10,0,0.5,0.9,0.1,0.6,\n20,1,0.6,0.9,0.1,0.7,0.8\n"
    )
    labels, runs = exported(tmp_path / "x.csv")
    assert labels == [10, 20]
    assert runs["CLF"] == [[0.5, 0.6]]
    assert best_so_far(runs["PVP 0"]).tolist() == [0.6, 0.8]
    assert runs.keys() == {"CLF", "PVP 0"}
