"""Replies that came without a label, in words: cut off, empty, or no label; with one of them as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets import unread
from harness.ground import formatting
from harness.report.blocks import Text
from harness.types import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.results import Results, RunResult

MOST_KINDS = 3  # sentences about one run


def notes(results: Results) -> list[Text]:
    """A sentence for each run and each reason why its replies are no answers, the most frequent reason first."""
    return [Text(said, "warning") for result in results.runs for said in _sentences(results, result)]


def _sentences(results: Results, result: RunResult) -> list[str]:
    if not result.outcomes[Outcome.UNPARSED]:
        return []
    rows = results.answers[result.run.run_id].rows
    rows = rows[rows["outcome"] == Outcome.UNPARSED.value].sort_values("example_id")
    reasons = rows["error"].fillna("").astype(str)
    name = result.run.name
    return [
        f"{name}: "
        + unread.sentence(int(n), result.n, str(why) or None, _first(rows[reasons == why]), results.split.labels)
        for why, n in reasons.value_counts().head(MOST_KINDS).items()
    ]


def _first(rows: pd.DataFrame) -> str | None:
    """The first reply that says anything."""
    said = (str(raw) for raw in rows["raw"] if not formatting.is_missing(raw))
    return next((raw for raw in said if raw.strip()), None)
