"""All checks over one dataset, and what the dataset looks like on the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.subject import DEFAULT, Near, Subject
from harness.datasets.task import Task
from harness.errors import DatasetError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.types import Dataset

FOLDER = "checks"
LEAKS = "leaks"


@dataclass(frozen=True, slots=True)
class Profile:
    """One split in numbers: its rows, its labels, and the lengths of its texts in characters."""

    split: str
    n: int
    labels: int
    shortest: int
    median: float
    p95: float
    longest: int


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in one dataset version, the worst first.

    `leaked` are the ids of the scored rows that stand in the training split too, `repeated` those
    that repeat an earlier row of their split, both exactly, normalised or nearly.
    """

    ref: str
    dataset_id: str
    n: int
    near: Near
    checks: tuple[str, ...]
    profile: tuple[Profile, ...]
    findings: tuple[Finding, ...]
    leaked: tuple[str, ...]
    repeated: tuple[str, ...]
    unlabelled: int = 0

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of that severity or worse."""
        return tuple(finding for finding in self.findings if finding.severity >= severity)


def audit(dataset: Dataset, how: Near = DEFAULT, watch: Callable[[str], None] = lambda _: None) -> Audit:
    """The audit of a dataset's labelled rows; `watch` is told the name of each check before it runs."""
    whole, dataset = dataset, replace(dataset, examples=tuple(dataset.labelled()))
    if not dataset.examples:
        raise DatasetError(f"{whole.ref}: no row has a label yet; harness label {whole.name} gives them some")
    subject, task, findings = Subject(dataset, how), Task.of(dataset), []
    loaded = {name: plugins.load(FOLDER, name, task.at) for name in plugins.names(FOLDER, task.at)}
    names = tuple(name for name, module in loaded.items() if task.meets(module))
    for name in names:
        watch(name)
        findings += [replace(found, check=name) for found in loaded[name].check(subject)]
    worst_first = sorted(findings, key=lambda finding: (-finding.severity, finding.check))
    return Audit(
        ref=dataset.ref,
        dataset_id=dataset.id,
        n=len(dataset.examples),
        unlabelled=len(whole.examples) - len(dataset.examples),
        near=how,
        checks=names,
        profile=tuple(_profile(subject, split) for split in subject.split_names),
        findings=tuple(worst_first),
        leaked=tuple(sorted({item for found in findings if found.check == LEAKS for item in found.items})),
        repeated=_repeated(subject),
    )


def _repeated(subject: Subject) -> tuple[str, ...]:
    """The rows of a split that are linked to an earlier one of it."""
    seen: set[tuple[str, int]] = set()
    repeated = []
    for row, family in enumerate(zip(subject.splits, subject.near_groups.tolist(), strict=True)):
        if family in seen:
            repeated.append(subject.ids[row])
        seen.add(family)
    return tuple(sorted(repeated))


def _profile(subject: Subject, split: str) -> Profile:
    rows = subject.rows_of[split]
    lengths = np.array([len(subject.dataset.examples[row].item.text) for row in rows])
    return Profile(
        split=split,
        n=len(rows),
        labels=len({subject.labels[row] for row in rows}),
        shortest=int(lengths.min()),
        median=float(np.median(lengths)),
        p95=float(np.quantile(lengths, 0.95)),
        longest=int(lengths.max()),
    )
