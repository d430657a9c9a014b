"""Every item with every arm's answer, to be searched, filtered and sorted in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ground import formatting
from harness.report.blocks import Items, Section

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.results import Results

ORDER = 80
LETTERS = {"answered": "a", "abstained": "b", "unparsed": "u", "refused": "r", "failed": "f"}
LONGEST_TEXT, LONGEST_REPLY = 2_000, 400


def section(results: Results) -> Section | None:
    """The items as columns; nothing when there are too many for a page (`harness view` shows those)."""
    items = results.items
    if items is None or items.empty:
        return None
    labels = list(results.split.labels)
    answers = results.predictions["label"].dropna().unique()
    labels += sorted({*items["gold"], *answers} - set(labels))
    code = {label: number for number, label in enumerate(labels)}
    by_run = {run_id: rows for run_id, rows in results.predictions.groupby("run_id", sort=False)}
    ids = items["example_id"].tolist()
    columns: dict[str, object] = {
        "arms": [
            {"name": r.run.name, "run": r.run.run_id, "model": r.run.model}
            for r in results.runs
        ],
        "labels": labels,
        "id": ids,
        "text": [formatting.cut(str(text), LONGEST_TEXT) for text in items["text"].tolist()],
        "tags": [[] if formatting.is_missing(tags) else [str(tag) for tag in tags] for tags in items["tags"].tolist()],
        "gold": [code[gold] for gold in items["gold"].tolist()],
        "runs": [
            _run(by_run[r.run.run_id].set_index("example_id").reindex(ids), code)
            for r in results.runs
        ],
    }  # fmt: skip
    if results.people is not None and results.people.disputed:
        columns["disputed"] = [place for place, item in enumerate(ids) if item in results.people.disputed]
    return Section("Items", (Items(columns),))


def _run(rows: pd.DataFrame, code: dict[str, int]) -> dict[str, object]:
    # As lists: pandas hands out the cells of a text column one at a time, and slowly.
    labels = rows["label"].tolist()
    replies = enumerate(zip(rows["raw"].tolist(), labels, rows["error"].tolist(), strict=True))
    return {
        "outcome": "".join(LETTERS.get(str(outcome), "f") for outcome in rows["outcome"].tolist()),
        "label": [code.get(label, -1) if isinstance(label, str) else -1 for label in labels],
        "credit": _numbers(rows["credit"], 3),
        "score": _numbers(rows["score"], 3),
        "cost": _numbers(rows["cost_usd"], 3),
        "latency": _numbers(rows["latency_s"], 3),
        "reply": {str(i): said for i, row in replies if (said := _reply(*row))},
    }


def _numbers(column: pd.Series, digits: int) -> object:
    """The values with so many significant digits; one value where all are the same."""
    known = column.to_numpy(dtype=np.float64, na_value=np.nan)
    size = np.floor(np.log10(np.abs(known), where=known != 0, out=np.zeros_like(known)))
    # A whole number over a power of ten that is exact is the number nearest to the decimal that is meant.
    scale = 10.0 ** np.clip(digits - 1 - size, 0, 22)
    rounded = np.round(known * scale) / scale
    values = [None if formatting.is_missing(value) else value for value in rounded.tolist()]
    return values[0] if len(set(values)) == 1 else values


def _reply(raw: object, label: object, error: object) -> str:
    """What the model said where that is not the label alone, or why there is no reply."""
    if isinstance(raw, str) and raw.strip() and raw.strip() != label:
        return formatting.cut(raw, LONGEST_REPLY)
    return formatting.cut(error, LONGEST_REPLY) if isinstance(error, str) else ""
