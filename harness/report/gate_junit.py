"""The report as JUnit XML, in the form that CI servers read: one test suite, one test case per check.

A check that failed is a failure; one that is inconclusive and must pass is an error, so that it
does not look green; one that only watches and cannot tell is skipped, with the reason.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # only written, never read
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis.gate.findings import Check, Report

# What XML 1.0 cannot hold, not even escaped.
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> bytes:
    """The document, UTF-8; the same report gives the same bytes."""
    cases = [(check, _result(check)) for check in report.checks]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(kind == "failure" for _, kind in cases)),
        "errors": str(sum(kind == "error" for _, kind in cases)),
        "skipped": str(sum(kind == "skipped" for _, kind in cases)),
        "time": "0",
    }
    top = ET.Element("testsuites", {"name": "harness gate", **{k: v for k, v in counts.items() if k != "skipped"}})
    suite = ET.SubElement(top, "testsuite", {"name": _legal(_title(report)), **counts})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", {"name": name, "value": _legal(value)})
    for check, kind in cases:
        _case(suite, report, check, kind)
    ET.indent(top)
    document: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def unchecked(message: str, exit_code: int) -> bytes:
    """The document where there is no verdict: one error, with the exit code as its type."""
    counts = {"tests": "1", "failures": "0", "errors": "1", "time": "0"}
    top = ET.Element("testsuites", {"name": "harness gate", **counts})
    suite = ET.SubElement(top, "testsuite", {"name": "harness gate", **counts, "skipped": "0"})
    case = ET.SubElement(suite, "testcase", {"classname": "harness.gate", "name": "verdict", "time": "0"})
    ET.SubElement(case, "error", {"message": _legal(message), "type": f"exit {exit_code}"}).text = _legal(message)
    ET.indent(top)
    document: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(suite: ET.Element, report: Report, check: Check, kind: str | None) -> None:
    classname = _legal(f"harness.gate.{report.dataset}.{report.split}")
    case = ET.SubElement(suite, "testcase", {"classname": classname, "name": _legal(check.name), "time": "0"})
    if kind == "skipped":
        ET.SubElement(case, kind, {"message": _legal(check.message)})
    elif kind is not None:
        found = ET.SubElement(case, kind, {"message": _legal(check.message), "type": check.code})
        found.text = _legal("\n".join(f"{name}: {value}" for name, value in check.facts.items()))
    else:
        ET.SubElement(case, "system-out").text = _legal(check.message)


def _result(check: Check) -> str | None:
    if check.verdict == "fail":
        return "failure"
    if check.verdict == "inconclusive":
        return "error" if check.must_pass else "skipped"
    return None


def _title(report: Report) -> str:
    return f"{report.candidate.name} against {report.baseline.name} on {report.dataset} / {report.split}"


def _properties(report: Report) -> dict[str, str]:
    return {
        "verdict": report.verdict,
        "dataset": f"{report.dataset} ({report.dataset_id})",
        "candidate": f"{report.candidate.name} ({report.candidate.run_id})",
        "baseline": f"{report.baseline.name} ({report.baseline.run_id})",
        "items": str(report.n),
        "looks": str(report.looks),
    }


def _legal(text: str) -> str:
    return ILLEGAL.sub("\ufffd", text)
