"""What the Python API returns: results that show themselves, as text where they are printed, as HTML in a notebook."""

from __future__ import annotations

import base64
import html
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from harness.analysis import comparison, curves, decision, gate
from harness.analysis.fusion.sentences import sentences
from harness.analysis.results import Results
from harness.app.project import frames
from harness.errors import MissingAnswers
from harness.ground import formatting
from harness.report import build, gate_page, inline
from harness.report.blocks import Column, Section, Table, Text
from harness.runs.failures import Failures
from harness.types import Dataset, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from harness.analysis.curves import Curve
    from harness.analysis.fusion.study import Study
    from harness.analysis.results import RunResult
    from harness.types import Estimate

T = TypeVar("T")
MOST_ROWS = 20
SPLITS_FIRST = ("train", "dev", "test")


class Shown:
    """Something that shows itself: as text where it is printed, as HTML in a notebook."""

    @property
    def section(self) -> Section:
        """What is shown."""
        raise NotImplementedError

    def __str__(self) -> str:
        return inline.text(self.section)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return inline.page(self.section)


class ShownDataset(Shown, Dataset):
    """A dataset that shows how many items of which label its splits have, and the first of them; not all of them."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and (other.ref, other.id) == (self.ref, self.id)

    def __hash__(self) -> int:
        return hash((self.ref, self.id))

    @property
    def section(self) -> Section:
        """Splits by label, and the first items."""
        counts = Counter((one.split, one.label) for one in self.examples)
        sizes = Counter(one.split for one in self.examples)
        splits = sorted(sizes, key=lambda name: (*SPLITS_FIRST, name).index(name))
        held = ", ".join(f"{name} {sizes[name]:,}" for name in splits)
        head = f"{self.ref}: {formatting.plural(len(self.examples), 'item')} ({held}), {self.kind} label"
        rows = tuple(
            (label, *(formatting.count(counts[name, label]) for name in splits))
            for label in self.label_names[:MOST_ROWS]
        )
        more = len(self.label_names) - len(rows)
        by_label = Table((Column("label"), *(Column(name, numeric=True) for name in splits)), rows)
        first = Table((Column("text"), Column("label"), Column("split")), frames.items(self))
        note = [Text(f"and {formatting.plural(more, 'label')} more", "quiet")] if more else []
        return Section("Dataset", (Text(head), by_label, *note, first))


class ShownResults(Shown, Results):
    """Results that show themselves as the scorecard; `frame` has it as a DataFrame."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row per run, best first."""
        return frames.scorecard(self)

    @property
    def section(self) -> Section:
        """The scorecard."""
        return _scorecard(self)


def shown(kind: type[T], record: Any) -> T:  # noqa: ANN401  (a dataclass that `kind` is a kind of)
    """The record as one that shows itself."""
    return kind(**{one.name: getattr(record, one.name) for one in fields(record)})


def _scorecard(results: Results) -> Section:
    found = build.section("scorecard", results)
    assert found is not None  # it always has something to say
    return found


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """One arm on one split. `results` is what reports read; `predictions` has one row per item."""

    run_id: str
    dataset: Dataset
    split: str
    results: Results
    read: Callable[[], pd.DataFrame] = field(compare=False)

    @property
    def result(self) -> RunResult:
        """The run, summed up: outcomes, metrics, cost, latency."""
        return self.results.runs[0]

    @property
    def arm(self) -> str:
        """The arm's name, as reports show it."""
        return self.result.run.name

    @property
    def headline(self) -> Estimate:
        """The headline metric of the kind with its interval."""
        return self.result.headline

    @property
    def accuracy(self) -> Estimate:
        """The headline metric, as it is called where answers are right or wrong."""
        return self.headline

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per item, texts and replies of all of them; `frames.PREDICTIONS` says what the columns mean."""
        return self.read()

    def assert_at_least(self, accuracy: float, *, shown: bool = False, max_failed: float = 0.0) -> None:
        """Raise `AssertionError` when the accuracy is shown to be lower, that is, when its whole interval is.

        With `shown`, also when it is not shown to be at least that: then too few items raise as well.
        Raises `MissingAnswers` when more than the share `max_failed` of the items have no answer, or the run
        was not finished: a provider that is down is no proof of anything.
        """
        self._assert_answered(max_failed)
        found, wanted, noun = self.headline, formatting.share(accuracy), self.results.split.task.noun
        if found.high is not None and found.high < accuracy:
            raise AssertionError(f"{self.arm}: {noun} {formatting.with_interval(found)} is below {wanted}")
        if shown and (found.low is None or found.low < accuracy):
            raise AssertionError(f"{self.arm}: {noun} {formatting.with_interval(found)} is not shown to be {wanted}")

    def _assert_answered(self, max_failed: float) -> None:
        result = self.result
        failed = result.outcomes.get(Outcome.FAILED, 0)
        if failed > max_failed * result.n or failed == result.n:
            reasons = Failures()
            rows = self.results.predictions
            for reason in rows.loc[rows["outcome"] == Outcome.FAILED.value, "error"]:
                reasons.add(reason)
            raise MissingAnswers(
                f"{self.arm}: {failed:,} of {formatting.plural(result.n, 'item')} have no answer, so nothing is shown "
                f"of its accuracy; run it again to ask them: {reasons.sentence or 'no item was asked'}"
            )
        if not result.run.is_finished:
            raise MissingAnswers(f"{self.arm}: the run is not finished ({result.run.status}); run it again")

    @property
    def section(self) -> Section:
        """The scorecard's line."""
        return _scorecard(self.results)


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


@dataclass(frozen=True, repr=False)
class Learned(Shown):
    """Learning curves; `curves` holds each arm's points, crossing and worth."""

    curves: tuple[Curve, ...]
    margin: float = 0.0

    @property
    def frame(self) -> pd.DataFrame:
        """One row per arm and number of labels: accuracy with its interval."""
        return frames.curves(self.curves)

    @property
    def section(self) -> Section:
        """Each curve as a table, and what it comes to in words."""
        columns = (Column("arm"), *(Column(title, numeric=True) for title in ("labels", self.curves[0].noun, "95%")))
        rows = tuple(
            (one.arm, f"{at.n_labels:,}", formatting.share(at.estimate.value), formatting.span(at.estimate))
            for one in self.curves
            for at in one.points
        )
        said = [Text(f"{one.arm} {line}.") for one in self.curves for line in curves.sentences(one, self.margin)]
        return Section("Learning curves", (Table(columns, rows), *said))


@dataclass(frozen=True, repr=False)
class Fused(Shown):
    """A fusion of stored arms; `study` holds every setting, the chosen one, and what the oracle and chance get.

    `run_id` is the stored run of what was chosen, where it was to be stored.
    """

    study: Study
    run_id: str | None = None

    @property
    def section(self) -> Section:
        """What was chosen and what it gets, in words."""
        found = self.study
        if found.tested is None:
            return Section("Fusion", (Text(f"{found.arm}: nothing was chosen: {found.reason}.", "verdict"),))
        accuracy, cost = formatting.with_interval(found.tested.estimate), formatting.dollars(found.tested.cost)
        head = f"{found.arm}: {accuracy}, {cost} per 1,000."
        return Section("Fusion", (Text(head, "verdict"), *(Text(f"{line}.") for line in sentences(found))))


@dataclass(frozen=True, repr=False)
class Written(Shown):
    """Files that were written; pictures show themselves in a notebook."""

    files: tuple[Path, ...]

    @property
    def section(self) -> Section:
        """Their paths."""
        return Section("Files", (Table((Column("written"),), tuple((str(path),) for path in self.files)),))

    def _repr_html_(self) -> str:
        pictures = [path for path in self.files if path.suffix == ".svg" and not path.stem.endswith("-dark")]
        if any(path.name == "report.html" for path in self.files) or not pictures:
            return super()._repr_html_()
        return "\n".join(map(_picture, pictures))


def _picture(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(path.stem)}" src="data:image/svg+xml;base64,{content}">'
