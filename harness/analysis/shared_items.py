"""Runs on different versions of a dataset: only items that say the same in all of them can be compared. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.ground.formatting import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from harness.analysis.comparison import Answers


def only(answers: Sequence[Answers], versions: Sequence[pd.DataFrame]) -> list[Answers]:
    """The answers to the items with the same id, text, tags and gold label in all versions; `left_out` says so.

    `versions` are the items of each version: see `Store.examples`.
    """
    said = [_said(version) for version in versions]
    same = {key for key, words in said[0].items() if all(other.get(key) == words for other in said[1:])}
    asked = {str(key) for arm in answers for key in arm.rows["example_id"]}
    refs = " and ".join(dict.fromkeys(arm.dataset for arm in answers))
    gone = len(asked - same)
    note = (
        f"{refs} are different versions: compared on the items with the same id, text and gold label in both; "
        f"{plural(gone, 'other item')} left out"
    )
    told = " ".join(one for one in (note, answers[0].left_out) if one)
    return [replace(arm, rows=arm.rows[arm.rows["example_id"].isin(same)], left_out=told) for arm in answers]


def _said(version: pd.DataFrame) -> dict[str, tuple[str, tuple[str, ...], str]]:
    columns = zip(version["example_id"], version["text"], version["tags"], version["gold"], strict=True)
    return {str(key): (str(text), tuple(() if tags is None else tags), str(gold)) for key, text, tags, gold in columns}
