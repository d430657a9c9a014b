"""Datasets made for audits: a clean one, and small ones with one defect planted."""

import random

import pytest

from harness.datasets.audit.subject import Subject
from harness.ground import plugins
from harness.types import Dataset, Example, Item, Label

TOPICS = {
    "billing": "invoice refund charge payment card receipt amount bank price discount debit fee",
    "bug": "crash error screen button login freeze update browser page window export blank",
    "shipping": "parcel courier address delivery tracking postcode customs warehouse box driver stamp label",
}
FILLER_WORDS = """
today yesterday again please twice morning evening monday customer order account team office phone paper garden coffee
winter summer river mountain music ticket number letter question answer reason problem minute hour week
"""
FILLERS = sorted(FILLER_WORDS.split())


def dataset(rows, name="made"):
    """A dataset of (text, label, split) rows; a fourth part of a row is its tags, a fifth its group."""
    examples = tuple(
        Example(
            Item(f"r{i}", row[0], tuple(row[3]) if len(row) > 3 else ()),
            row[1],
            row[2],
            row[4] if len(row) > 4 else None,
        )
        for i, row in enumerate(rows)
    )
    labels = tuple(Label(label) for label in sorted({row[1] for row in rows}))
    return Dataset(name, "v1", "s1:made", "single", labels, examples)


def clean_rows(n=360, seed=0):
    """Texts of ten words: six of the label's topic, four others; every text another one, labels dealt out evenly."""
    rng, rows, labels = random.Random(seed), [], list(TOPICS)
    for i in range(n):
        label = labels[i % len(labels)]
        words = rng.sample(TOPICS[label].split(), 6) + rng.sample(FILLERS, 4)
        rng.shuffle(words)
        rows.append((" ".join(words), label, ("train", "train", "dev", "test")[i // 3 % 4]))
    return rows


@pytest.fixture
def clean():
    """The rows of a dataset that no check has anything to say about."""
    return clean_rows()


def found_by(check, rows_or_dataset):
    """What one check says about rows."""
    given = rows_or_dataset if isinstance(rows_or_dataset, Dataset) else dataset(rows_or_dataset)
    return plugins.load("checks", check).check(Subject(given))
