"""What GitHub Actions reads: an annotation per check that did not pass, as workflow commands. Pure text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis.gate.findings import Check, Report


def lines(report: Report) -> list[str]:
    """`::error` for what failed, `::warning` for what must pass and cannot tell, and the verdict as `::notice`."""
    told = [_annotation(check) for check in report.checks if check.verdict == "fail"]
    told += [_annotation(check) for check in report.checks if check.verdict == "inconclusive" and check.must_pass]
    verdict = f"{report.verdict}: {report.candidate.name} against {report.baseline.name} on {report.n} items"
    return [*told, f"::notice title=harness gate::{_value(verdict)}"]


def unchecked(message: str) -> list[str]:
    """`::error` where there is no verdict."""
    return [f"::error title=harness gate: no verdict::{_value(message)}"]


def _annotation(check: Check) -> str:
    level = "error" if check.verdict == "fail" else "warning"
    return f"::{level} title={_property(f'harness gate: {check.name}')}::{_value(check.message)}"


def _value(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _value(text).replace(":", "%3A").replace(",", "%2C")
