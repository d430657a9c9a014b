"""An audit as JSON, for programs and for the reports that come after it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.datasets.audit.equality import Defects
from harness.types import Estimate

if TYPE_CHECKING:
    from harness.datasets.audit.auditing import Audit
    from harness.datasets.audit.findings import Cell, Finding, Severity
    from harness.types import JSON

FILE = "audit.json"
NOISE, CONFLICTS = "label_noise", "conflicts"  # the checks that doubt a gold label


def written(audit: Audit, severity: Severity) -> dict[str, JSON]:
    """The audit with its findings, worst first; `defects` counts those of the severity asked for or worse."""
    return {
        "dataset": audit.ref,
        "dataset_id": audit.dataset_id,
        "n": audit.n,
        "near": audit.near.cosine,
        "near_by_train": audit.near.by_train,
        "near_encoder": audit.near.encoder,
        "severity": severity.word,
        "defects": len(audit.at_least(severity)),
        "checks": list(audit.checks),
        "leaked": list(audit.leaked),
        "repeated": list(audit.repeated),
        "profile": [asdict(split) for split in audit.profile],
        "findings": [_finding(finding) for finding in audit.findings],
    }


def defects(text: str, dataset_id: str) -> Defects | None:
    """What an audit's JSON says about single rows; None when it is about another dataset, or no such JSON."""
    try:
        said = json.loads(text)
        if said["dataset_id"] != dataset_id:
            return None
        suspects, torn = (_items(said["findings"], check) for check in (NOISE, CONFLICTS))
        return Defects(frozenset(said["leaked"]), frozenset(said["repeated"]), float(said["near"]), suspects, torn)
    except (ValueError, KeyError, TypeError):
        return None


def _items(findings: list[dict[str, Any]], check: str) -> frozenset[str]:
    """The rows that a check found."""
    return frozenset(item for finding in findings if finding["check"] == check for item in finding["items"])


def _finding(finding: Finding) -> dict[str, JSON]:
    evidence = finding.evidence
    return {
        "check": finding.check,
        "severity": finding.severity.word,
        "message": finding.message,
        "remedy": finding.remedy,
        "n": len(finding.items),
        "facts": dict(finding.facts),
        "evidence": None
        if evidence is None
        else [dict(zip(evidence.columns, map(_cell, row), strict=True)) for row in evidence.rows],
        "items": list(finding.items),
    }


def _cell(cell: Cell) -> JSON:
    return asdict(cell) if isinstance(cell, Estimate) else cell
