"""What checks are made on: a few items, datasets and results, ordinary, small and hostile, nobody's own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType

import numpy as np
import pandas as pd

from harness.analysis.results import Results, RunFacts, Split, analyse
from harness.datasets.task import Task
from harness.store.rows import BUCKETS
from harness.types import Dataset, Example, Item, Label

LABELS = ("food", "sport", "travel")
WORDS = {
    "food": ("soup", "bread", "cheese", "apple", "rice", "pasta"),
    "sport": ("ball", "goal", "tennis", "runner", "medal", "boxing"),
    "travel": ("train", "hotel", "airport", "luggage", "map", "ferry"),
}
HOSTILE = ("<script>alert(1)</script>", "=1+1", "a|b`c`*d*", "\u202eright to left", "two\nlines\x1b[31m", "{{ 7*7 }}")
STRANGE = {
    "empty": Item("s1", ""),
    "blank": Item("s2", " \n\t "),
    "emoji": Item("s3", "🍜😀", ("🎉",)),
    "very long": Item("s4", "soup and ball " * 2_000, ("eat",) * 100),
    "unseen words and tags": Item("s5", "zyzzyva quokka", ("never-seen",)),
    "half a surrogate pair": Item("s6", "soup \ud800", ("\udfff",)),
    "null byte": Item("s7", "soup\x00ball"),
}


def training() -> tuple[list[Item], list[str]]:
    """Thirty-six items of three labels, two words each, the labels taking turns."""
    items = [
        Item(f"{label}-{i}", f"{words[i % 6]} {words[(i * 5 + 1) % 6]} number {i}", (words[i % 6],))
        for i in range(12)
        for label, words in WORDS.items()
    ]
    return items, [item.id.partition("-")[0] for item in items]


def queries() -> list[Item]:
    """Plain items, a mixed one among them, and strange ones."""
    pairs = (("soup", "cheese"), ("ball", "goal"), ("train", "ferry"), ("bread", "tennis"))
    plain = [Item(f"q{i}", f"{one} with {other}", (other,)) for i, (one, other) in enumerate(pairs)]
    return [*plain, *STRANGE.values()]


def dataset(labels: Sequence[str] = LABELS, n: int = 36, texts: Sequence[str] = ()) -> Dataset:
    """A dataset of that many rows, two thirds of them to train on."""
    examples = tuple(
        Example(
            Item(f"i{i}", texts[i % len(texts)] if texts else f"{labels[i % len(labels)]} {i}", (f"t{i % 4}",)),
            labels[i % len(labels)],
            "test" if i % 3 == 0 else "train",
        )
        for i in range(n)
    )
    return Dataset("sample", "v1", "s1:sample", "single", tuple(Label(name, "") for name in labels), examples)


GOLD_CELLS = {
    "multi": (LABELS, ('["food"]', '["sport", "travel"]', "[]")),
    "extract": (("who", "when"), ('{"who": ["Ann"], "when": ["noon"]}', '{"when": ["8 pm"]}', "{}")),
    "score": (("0", "10"), ("0", "4.5", "10")),
}
"""Of our other kinds: labels (of `score` the ends), and what may stand in a cell."""


def results(module: ModuleType) -> dict[str, Results]:
    """Results of the kinds that a section or a figure is for, by what they are; of other kinds it is never asked."""
    every = _of_one_label() | {kind: _of_kind(kind) for kind in GOLD_CELLS}
    return {what: one for what, one in every.items() if one.split.task.meets(module)}


@cache
def _of_one_label() -> dict[str, Results]:
    return {
        "ordinary": _results(),
        "hostile": _results(HOSTILE[:4], 24, HOSTILE),
        "one item": _results(n=1),
        "many labels": _results([f"label {i}" for i in range(40)], 80),
        "one arm": _results(arms=("prompt:v1",)),
        "all failed": _results(n=6, failed=6),
    }


@cache
def _of_kind(kind: str) -> Results:
    labels, cells = GOLD_CELLS[kind]
    read = Task(kind, labels).rules.read_gold
    return _results([read(cell, labels, "sample") for cell in cells], task=Task(kind, labels))


def _results(
    golds: Sequence[str] = LABELS,
    n: int = 36,
    texts: Sequence[str] = ("a text",),
    arms: Sequence[str] = ("minilm-lr", "prompt:v1", "majority"),
    failed: int = 1,
    task: Task | None = None,
) -> Results:
    task = task or Task(labels=tuple(golds))
    frames = [_frame(arm, golds, n, texts, failed if ":" in arm or failed == n else 0) for arm in arms]
    for frame in frames:
        answered = frame["label"].notna()
        frame["credit"] = [
            task.credit(gold, answer) if is_answered else np.nan
            for gold, answer, is_answered in zip(frame["gold"], frame["label"], answered, strict=True)
        ]
    facts = [
        RunFacts(
            _id(arm), arm, "fake/m" if ":" in arm else None, "done", 0, 0, 24, {}, pd.Timestamp(0, tz="UTC"), 1.0, 0.1
        )
        for arm in arms
    ]
    split = Split("sample@v1", "s1:sample", "test", task.kind, task.labels, n)
    return analyse(split, facts, pd.concat(frames), {})


def _id(arm: str) -> str:
    return f"s1:{abs(sum(arm.encode())):016x}"


def _frame(arm: str, golds: Sequence[str], n: int, texts: Sequence[str], failed: int) -> pd.DataFrame:
    rng = np.random.default_rng(len(arm))
    gold = [golds[i % len(golds)] for i in range(n)]
    given: list[str | None] = [g if rng.random() < 0.7 else golds[0] for g in gold]
    given = [None if i < failed else answer for i, answer in enumerate(given)]
    columns = {
        "run_id": _id(arm),
        "arm": arm,
        "model": "fake/m" if ":" in arm else None,
        "example_id": [f"i{i}" for i in range(n)],
        "text": [texts[i % len(texts)] for i in range(n)],
        "tags": [np.array(["t1"]) if i % 2 else None for i in range(n)],
        "gold": gold,
        "outcome": ["failed" if answer is None else "answered" for answer in given],
        "label": given,
        "score": [None if answer is None else 0.5 + (i % 50) / 100 for i, answer in enumerate(given)],
        "raw": given,
        "error": None,
        "cost_usd": 0.0001,
        "billed_usd": 0.0001,
        "latency_s": [0.001 * (i % 7 + 1) for i in range(n)],
        "answered_by": arm,
        "attempts": 1,
        "cached": False,
        **dict.fromkeys(BUCKETS, 10),
    }
    return pd.DataFrame(columns)
