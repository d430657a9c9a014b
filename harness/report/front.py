"""The front page over all datasets and splits: what is best on each, how sure that is, and where its report lies.

Each report leaves a summary beside itself, and the front page is made of all that are there; so it costs no look
into the store, and says what the reports say.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.errors import HarnessError
from harness.ground import formatting
from harness.ground.validation import validated
from harness.report import html
from harness.report.blocks import Column, Links, Section, Table, Text
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results

SUMMARY, NAME = "summary.json", "index.html"
COLUMNS = (
    Column("dataset / split"),
    Column("best arm"),
    Column("headline metric, 95%", numeric=True),
    Column("items", numeric=True),
    Column("arms", numeric=True),
    Column("looks", numeric=True),
    Column("latest run (UTC)"),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a report comes to: its best arm with the headline metric and its interval, and the verdict's sentence.

    `tied` are other arms that are exactly as good; `failed` items of the best arm have no reply and are not scored.
    """

    dataset: str
    split: str
    arm: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    arms: int
    looks: int
    latest: str
    verdict: str
    tied: int = 0
    failed: int = 0


def summary(results: Results, told: Sequence[Section]) -> bytes:
    """The summary of a report with these sections, as JSON."""
    best, split = results.by_arm.runs[0], results.split
    verdicts = (b.text for s in told for b in s.blocks if s.title == "Verdict" and isinstance(b, Text))
    found = best.headline
    started = [one.run.started_at for one in results.runs if one.run.started_at is not None]
    made = Summary(
        dataset=split.dataset,
        split=split.name,
        arm=best.run.name,
        metric=found.name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        arms=len({one.run.arm_name for one in results.runs}),
        looks=split.looks,
        latest=f"{max(started):%Y-%m-%d %H:%M}" if started else "",
        verdict=next(verdicts, ""),
        tied=len(results.leaders) - 1,
        failed=best.n - found.n,
    )
    return (json.dumps(asdict(made), ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogatepass")


def read(content: bytes) -> Summary | None:
    """A summary that was written; None for what is none."""
    try:
        return validated(Summary, json.loads(content), SUMMARY)
    except (ValueError, RecursionError, HarnessError):
        return None


def page(found: Mapping[tuple[str, str], Summary], audits: Sequence[str] = ()) -> bytes:
    """The page over summaries by their folders' names; `audits` are the folders that have an audit."""
    newest_first = sorted(found.items(), key=lambda pair: pair[0])
    newest_first.sort(key=lambda pair: pair[1].latest, reverse=True)
    rows = tuple(_row(one) for _, one in newest_first)
    links = tuple(f"{quote(dataset)}/{quote(split)}/report.html" for (dataset, split), _ in newest_first)
    caption = (
        "The best arm is the one with the best headline metric, with its 95% interval; whether that decides it is said "
        "below. Looks: how often the split has been scored."
    )
    blocks: list[Text | Table | Links] = [Table(COLUMNS, rows, caption, links=links)] if rows else [Text("No report.")]
    blocks += [Text(f"{one.dataset} / {one.split}: {one.verdict}") for _, one in newest_first if one.verdict]
    if audits:
        blocks.append(Links(tuple((f"Audit of {name}", f"{quote(name)}/audit.html") for name in sorted(audits))))
    return html.render("What was measured here", [Section("Datasets and splits", tuple(blocks))], {}).encode()


def _row(one: Summary) -> tuple[str, ...]:
    estimate = Estimate(one.metric, one.value, one.low, one.high, one.n, "")
    return (
        f"{one.dataset} / {one.split}",
        one.arm + (f" and {formatting.plural(one.tied, 'arm')} as good" if one.tied else ""),
        f"{one.metric.replace('_', ' ')} {formatting.with_interval(estimate)}"
        + (f", {one.failed:,} failed" if one.failed else ""),
        *map(formatting.count, (one.n, one.arms, one.looks)),
        one.latest,
    )
