"""An audit as sections: what was found, in one table; then each finding with its rows and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.findings import Severity
from harness.ground import formatting
from harness.report import html
from harness.report.blocks import Column, Section, Table, Text
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.datasets.audit.auditing import Audit
    from harness.datasets.audit.findings import Cell, Finding


def summary(audit: Audit) -> Section:
    """The findings, the worst first, in one table."""
    waiting = f" {formatting.plural(audit.unlabelled, 'row')} without a label left out." if audit.unlabelled else ""
    head = Text(
        f"{audit.ref}: {formatting.plural(audit.n, 'item')}, {len(audit.checks)} checks, {_counts(audit)}.{waiting}"
    )
    rows = tuple((finding.severity.word, finding.check, finding.message) for finding in audit.findings)
    columns = (Column("severity"), Column("check"), Column("found"))
    return Section("Audit", (head, *([Table(columns, rows)] if rows else [])))


def page(audit: Audit) -> bytes:
    """The whole audit as one HTML page."""
    return html.render(f"{audit.ref}: can its numbers be trusted?", sections(audit), {}).encode()


def sections(audit: Audit) -> list[Section]:
    """Summary, the splits in numbers, and a section per check that found something, the worst first."""
    checks = dict.fromkeys(finding.check for finding in audit.findings)
    return [summary(audit), _profile(audit), *(_check(name, audit.findings) for name in checks)]


def _counts(audit: Audit) -> str:
    if not audit.findings:
        return "nothing found"
    counts = {severity: sum(f.severity == severity for f in audit.findings) for severity in reversed(Severity)}
    return ", ".join(formatting.plural(n, severity.word) for severity, n in counts.items() if n)


def _profile(audit: Audit) -> Section:
    titles = ("rows", "labels", "shortest", "median", "95%", "longest")
    rows = tuple(
        (
            split.split,
            *(f"{value:,.0f}" for value in (split.n, split.labels, split.shortest, split.median, split.p95)),
            f"{split.longest:,}",
        )
        for split in audit.profile
    )
    columns = (Column("split"), *(Column(title, numeric=True) for title in titles))
    return Section("Splits", (Table(columns, rows, "Lengths of the texts in characters."),))


def _check(name: str, findings: Iterable[Finding]) -> Section:
    return Section(name, tuple(block for one in findings if one.check == name for block in _blocks(one)))


def _blocks(finding: Finding) -> list[Text | Table]:
    tone = "warning" if finding.severity > Severity.NOTE else "plain"
    blocks: list[Text | Table] = [
        Text(f"{finding.severity.word}: {finding.message}.", tone),  # type: ignore[arg-type]
        Text(f"What to do: {finding.remedy}."),
    ]
    if finding.evidence is not None:
        sample = [list(map(_printed, row)) for row in finding.evidence.rows]
        numeric = [all(not isinstance(row[i], str) for row in finding.evidence.rows) for i in range(len(sample[0]))]
        columns = tuple(Column(t, numeric=n) for t, n in zip(finding.evidence.columns, numeric, strict=True))
        blocks.append(Table(columns, tuple(map(tuple, sample))))
    return blocks


def _printed(cell: Cell) -> str:
    if isinstance(cell, Estimate):
        return formatting.with_interval(cell)
    if isinstance(cell, float):
        return formatting.share(cell)
    return formatting.count(cell) if isinstance(cell, int) else cell
