"""A watch as sections of a page: the alarms, accuracy, the mix of labels, and what to label next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import html
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    from harness.analysis.watching import Alarm, Watched

TESTS = ("test", "evidence", "alarm from", "after", "it is supposed that")
NUMERIC = ("evidence", "alarm from", "after")
NEEDED = {
    "inputs": "whether the texts have changed; the log has no column of texts, name it by --text COLUMN",
    "scores": "how sure the arm is; reference and log must both have scores, name the log's by --score COLUMN",
}
"""What is not tested where a log lacks it, and how it would be."""


def page(arm: str, found: Watched, alpha: float) -> bytes:
    """The whole watch as one HTML page; it holds no text of the log."""
    return html.render(f"{arm} in production", sections(arm, found, alpha), {}).encode()


def sections(arm: str, found: Watched, alpha: float) -> list[Section]:
    """What the command says, and every label and row that it leaves out."""
    told = [_alarms(arm, found, alpha), _accuracy(found), _mix(found)]
    return [*told, _label_next(found)] if found.label_next else told


def cells(alarm: Alarm) -> tuple[str, ...]:
    """A test's row under `TESTS`."""
    at = "" if alarm.at is None else f"item {alarm.at:,}"
    return alarm.test.replace("_", " "), f"{alarm.e_value:,.3g}", f"{1 / alarm.alpha:,.0f}", at, alarm.hypothesis


def alarmed(found: Watched) -> str:
    """The names of the tests that gave an alarm."""
    return ", ".join(one.test.replace("_", " ") for one in found.alarms if one.at is not None)


def untested(found: Watched) -> list[str]:
    """What could not be tested, and what the log lacks for it."""
    tested = {one.test for one in found.alarms}
    return [f"not tested: {what}" for test, what in NEEDED.items() if test not in tested]


def accuracy(found: Watched) -> list[str]:
    """What was measured, where anything was, and what is expected under the mix of labels now."""
    measured = f"accuracy {formatting.with_interval(found.accuracy)}; promised {formatting.share(found.promised)}"
    expected = f"expected under the mix of labels now: {formatting.with_interval(found.expected)}"
    return [measured, expected] if found.n_gold else [expected]


def _alarms(arm: str, found: Watched, alpha: float) -> Section:
    verdict = f"Alarm of {alarmed(found)}." if found.is_alarmed else "No alarm."
    looked = f"{formatting.plural(found.n, 'item')} of {arm}, {found.n_gold:,} with a gold label."
    rate = f"All tests together give a false alarm with probability at most {alpha:g}, looked at after every item."
    columns = tuple(Column(title, numeric=title in NUMERIC) for title in TESTS)
    table = Table(columns, tuple(map(cells, found.alarms)))
    missing = [Text(f"{line[0].upper()}{line[1:]}.") for line in untested(found)]
    tone = Text(verdict, "warning" if found.is_alarmed else "verdict")
    return Section("Alarms", (tone, Text(looked), Text(rate), table, *missing))


def _accuracy(found: Watched) -> Section:
    return Section("Accuracy", tuple(Text(f"{line[0].upper()}{line[1:]}.") for line in accuracy(found)))


def _mix(found: Watched) -> Section:
    rows = tuple(
        (one.label, *(formatting.share(value) for value in (one.reference, one.answered, one.estimated)))
        for one in sorted(found.mix, key=lambda one: -abs(one.estimated - one.reference))
    )
    titles = ("share before", "answered now", "estimated now")
    columns = (Column("label"), *(Column(title, numeric=True) for title in titles))
    supposed = "Estimated from the answers and what is known of their errors; items of a label look as they did."
    return Section("Labels", (Table(columns, rows, supposed),))


def _label_next(found: Watched) -> Section:
    columns = (Column("row of the log", numeric=True), Column("why"))
    rows = tuple((f"{one.row + 1:,}", one.reason) for one in found.label_next)
    return Section("To label next", (Table(columns, rows),))
