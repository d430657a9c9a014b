"""What leaked and repeated items do to the scores, and how sure the scores are where items belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table, Text
from harness.stats import clusters, intervals, margins

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from harness.analysis.results import Results
    from harness.datasets.audit.equality import Defects
    from harness.types import Estimate

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
    titles = ["accuracy", *["without leaked"] * bool(leaked), *["without repeated"] * bool(repeated)]
    rows = []
    for result in results.runs:
        mine = scored[scored["run_id"] == result.run.run_id]
        cells = [_accuracy(mine)]
        cells += [_accuracy(mine[~mine["example_id"].isin(gone)]) for gone in (leaked, repeated) if gone]
        cells += [_clustered(mine)] if has_groups else []
        rows.append((result.run.name, *map(formatting.with_interval, cells)))
    columns = tuple(Column(title, numeric=True) for title in (*titles, *["clustered"] * bool(has_groups)))
    told = _told(defects, len(items), len(leaked), len(repeated), is_clustered=bool(has_groups))
    query = _query(results, [gone for gone in (leaked, repeated) if gone], is_clustered=bool(has_groups))
    table = Table((Column("arm"), *columns), tuple(rows), query=query)
    return Section("Leaks and repeats", (Text(" ".join(told)), table))


def _query(results: Results, without: list[set[str]], *, is_clustered: bool) -> Query:
    """Right answers and items: of all, and without each of the sets."""
    kept = ["true", *(f"example_id not in ({', '.join(map(queries.quoted, sorted(gone)))})" for gone in without)]
    counts = ", ".join(
        f"count(*) filter ({where}) as n{i}, sum(credit) filter ({where}) as right{i}" for i, where in enumerate(kept)
    )

    def printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
        pairs = [(queries.whole(record, f"right{i}"), queries.whole(record, f"n{i}")) for i in range(len(kept))]
        cells = [formatting.with_interval(intervals.wilson(right, n)) for right, n in pairs]
        # A clustered mean is the plain one; only its interval is another.
        return str(record["arm"]), *cells, *[cells[0].split(" ")[0]] * is_clustered

    return Query(
        f"select {queries.called(results.runs, 'a')}, {counts} from {queries.scored(results)} a "
        f"where credit is not null "
        f"group by a.run_id, a.arm order by {queries.in_order(results)}",
        printed,
    )


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
        told.append("Clustered: items of one group count as one observation, so the interval is as wide as it must be.")
    return told


def _accuracy(rows: pd.DataFrame) -> Estimate:
    return margins.share(rows["credit"])


def _clustered(rows: pd.DataFrame) -> Estimate:
    groups = [group if isinstance(group, str) else number for number, group in enumerate(rows["group"])]
    seen: dict[object, int] = {}
    codes = np.array([seen.setdefault(group, len(seen)) for group in groups], dtype=np.int64)
    return clusters.cluster_mean(rows["credit"].to_numpy(float), codes, name="accuracy")
