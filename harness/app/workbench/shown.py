"""What the Python API returns: results that show themselves, as text where they are printed, as HTML in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis import comparison, decision, gate
from harness.ground import formatting
from harness.report import build, gate_page, inline
from harness.report.blocks import Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.results import Results, RunResult
    from harness.types import Dataset, Estimate


class Shown:
    """Something that shows itself: as text where it is printed, as HTML in a notebook."""

    @property
    def section(self) -> Section:
        """What is shown."""
        raise NotImplementedError

    def __str__(self) -> str:
        return inline.text(self.section)

    def _repr_html_(self) -> str:
        return inline.page(self.section)


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """One arm on one split. `results` is what reports read; `predictions` has one row per item."""

    run_id: str
    dataset: Dataset
    split: str
    results: Results

    @property
    def result(self) -> RunResult:
        """The run, summed up: outcomes, metrics, cost, latency."""
        return self.results.runs[0]

    @property
    def arm(self) -> str:
        """The arm's name, as reports show it."""
        return self.result.run.name

    @property
    def accuracy(self) -> Estimate:
        """The headline metric with its interval."""
        return self.result.accuracy

    @property
    def predictions(self) -> pd.DataFrame:
        """example_id, gold, label, outcome, score, credit, correct, cost_usd, latency_s and more, one row per item.

        `correct` says whether the credit is 1; it is unknown for a failed call, and where answers have degrees.
        """
        rows = self.results.predictions
        is_known = rows["credit"].notna() & self.results.split.task.rules.IS_BINARY
        return rows.assign(correct=(rows["credit"] == 1).astype("boolean").where(is_known))

    def assert_at_least(self, accuracy: float, *, shown: bool = False) -> None:
        """Raise `AssertionError` when the accuracy is shown to be lower, that is, when its whole interval is.

        With `shown`, also when it is not shown to be at least that: then too few items raise as well.
        """
        found, wanted = self.accuracy, formatting.share(accuracy)
        if found.high is not None and found.high < accuracy:
            raise AssertionError(f"{self.arm}: accuracy {formatting.with_interval(found)} is below {wanted}")
        if shown and (found.low is None or found.low < accuracy):
            raise AssertionError(f"{self.arm}: accuracy {formatting.with_interval(found)} is not shown to be {wanted}")

    @property
    def section(self) -> Section:
        """The scorecard's line."""
        scorecard = build.section("scorecard", self.results)
        assert scorecard is not None  # it always has something to say
        return scorecard


@dataclass(frozen=True, repr=False)
class Compared(Shown):
    """Two arms item by item; `comparison` holds the table, the difference, p and MDE."""

    comparison: comparison.Comparison

    @property
    def section(self) -> Section:
        """The comparison in words."""
        one, table = self.comparison, self.comparison.table
        items = formatting.plural(one.n, "item")
        counts = f"{table.only_a:,} only {one.a} got right, {table.only_b:,} only {one.b}" if table else "paired"
        said = (
            f"{one.a} minus {one.b}: {formatting.with_interval(one.difference)}, p {formatting.p_value(one.p_value)} "
            f"({one.method}); of {items} {counts}."
        )
        return Section("Comparison", (Text(said),))


@dataclass(frozen=True, repr=False)
class Decided(Shown):
    """Which arm should serve the task; `decision` holds candidates, reasons and what would change it."""

    decision: decision.Decision

    @property
    def section(self) -> Section:
        """Headline, reasons, and what would change it."""
        found = self.decision
        reasons = [Text(f"- {reason}") for reason in found.reasons]
        changes = [Text(f"What would change it: {change}") for change in found.what_would_change_it]
        return Section("Verdict", (Text(found.headline, "verdict"), *reasons, *changes))


@dataclass(frozen=True, repr=False)
class Gated(Shown):
    """The gate's verdict; `report` holds the checks with their facts."""

    report: gate.Report

    def assert_passed(self, *, or_inconclusive: bool = False) -> None:
        """Raise `AssertionError` with the headline unless the gate passed; on request not when it cannot tell."""
        if self.report.verdict == "fail" or (self.report.verdict == "inconclusive" and not or_inconclusive):
            raise AssertionError(str(self))

    @property
    def section(self) -> Section:
        """Headline and checks."""
        return gate_page.section(self.report)
