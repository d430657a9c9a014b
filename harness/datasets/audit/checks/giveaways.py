"""Words and tags that give a label away: nearly all of its rows have them, and hardly any other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity
from harness.ground.formatting import plural
from harness.stats import intervals

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject
    from harness.types import Example

NEEDS = ("classes",)
FEWEST = 20  # rows of a label
COVERED = 0.90  # of the label's rows have the word
PURE = 0.98  # of the rows with the word have the label
WORD = re.compile(r"\w[\w'-]*")


def check(subject: Subject) -> list[Finding]:
    """The labels that one word or tag alone tells."""
    if len(subject.texts) < FEWEST:
        return []
    tokens = [_tokens(example) for example in subject.dataset.examples]
    counter = CountVectorizer(analyzer=list, binary=True, min_df=FEWEST // 2, dtype=np.int32)
    try:
        has = counter.fit_transform(tokens)
    except ValueError:  # no word stands in so many rows
        return []
    names, codes = np.unique(np.array(subject.labels, dtype=object).astype(str), return_inverse=True)
    of_label = np.zeros((len(codes), len(names)), dtype=np.int32)
    of_label[np.arange(len(codes)), codes] = 1
    together = np.asarray(has.T @ of_label)
    n_token, n_label = together.sum(axis=1), of_label.sum(axis=0)
    telling = (together >= COVERED * n_label) & (together >= PURE * n_token[:, None]) & (n_label >= FEWEST)
    if len(names) < 2 or not telling.any():
        return []
    tokens_of = counter.get_feature_names_out()
    rows = []
    for label in np.flatnonzero(telling.any(axis=0)):
        best = max(np.flatnonzero(telling[:, label]), key=lambda token: int(together[token, label]))
        both = int(together[best, label])
        rows.append(
            (
                str(names[label]),
                str(tokens_of[best]),
                intervals.wilson(both, int(n_label[label]), name="rows with it"),
                intervals.wilson(both, int(n_token[best]), name="of this label"),
            )
        )
    return [
        Finding(
            Severity.WARNING,
            f"{plural(len(rows), 'label')} of {len(names):,} told by one word or tag: "
            f"{', '.join(f'{word!r} says {label!r}' for label, word, *_ in rows[:3])}",
            "a rule serves these labels; leave the word out if it was written by whoever labelled, and score the "
            "other labels on their own",
            tuple(i for i, label in zip(subject.ids, subject.labels, strict=True) if label in {row[0] for row in rows}),
            {"labels": len(rows)},
            Evidence(("label", "word", "its rows that have it", "rows with it that are its"), tuple(rows[:SHOWN])),
        )
    ]


def _tokens(example: Example) -> set[str]:
    return {*WORD.findall(example.item.text.casefold()), *(f"tag {tag.casefold()}" for tag in example.item.tags)}
