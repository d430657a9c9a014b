"""What leaked and repeated items do to the scores, and how sure the scores are where items belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import panel
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    from harness.analysis.results import Results
    from harness.datasets.audit.equality import Defects

ORDER = 28


def section(results: Results) -> Section | None:
    """Accuracy with and without such items, and clustered; nothing when there are neither such items nor groups."""
    defects = results.defects
    items = set(results.predictions["example_id"].unique())
    leaked = items & defects.leaked if defects else set()
    repeated = items & defects.repeated if defects else set()
    scored = results.predictions.dropna(subset=["credit"])
    has_groups = "group" in scored and scored["group"].notna().any()
    if not (leaked or repeated or has_groups):
        return None
    told = _told(defects, len(items), len(leaked), len(repeated), is_clustered=bool(has_groups))
    if not (leaked or repeated):
        return Section("Leaks and repeats", (Text(" ".join(told)),))
    titles = [results.split.task.noun, *["without leaked"] * bool(leaked), *["without repeated"] * bool(repeated)]
    rows = []
    for result in results.runs:
        mine = scored[scored["run_id"] == result.run.run_id]
        cells = [panel.share(mine)]
        cells += [panel.share(mine[~mine["example_id"].isin(gone)]) for gone in (leaked, repeated) if gone]
        rows.append((result.run.name, *map(formatting.with_interval, cells)))
    columns = tuple(Column(title, numeric=True) for title in titles)
    table = Table((Column("arm"), *columns), tuple(rows))
    return Section("Leaks and repeats", (Text(" ".join(told)), table))


def _told(defects: Defects | None, n: int, leaked: int, repeated: int, *, is_clustered: bool) -> list[str]:
    told = []
    if defects is not None and (leaked or repeated):
        same = "equal but for case and blanks" if defects.near is None else f"equal, or near at {defects.near:g}"
        told.append(
            f"{leaked:,} of {n:,} items stand in the training split too, {repeated:,} repeat another item ({same})."
        )
        if defects.near is None:
            told.append("Near-duplicates have not been looked for: harness dataset audit.")
    if is_clustered:
        told.append("Items come in groups: every interval here takes items of one group for as many as they are worth.")
    return told
