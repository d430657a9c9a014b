"""A check of the audit: findings, whatever the dataset is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.app.contracts import _samples
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.subject import Subject as Audited

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject


def _findings(subject: Subject) -> None:
    datasets = {
        "ordinary": _samples.dataset(),
        "of one row": _samples.dataset(n=1),
        "of hostile texts": _samples.dataset(_samples.HOSTILE[:3], 24, _samples.HOSTILE),
        "of equal texts": _samples.dataset(n=24, texts=("the same",)),
    }
    for what, dataset in datasets.items():
        where = f"{subject.name}, a dataset {what}"
        found, again = (subject.module.check(Audited(dataset)) for _ in range(2))
        assert isinstance(found, list), f"{where}: check gave {type(found).__name__}; expected a list"
        assert found == again, f"{where}: twice the same dataset, two answers"
        ids = {example.item.id for example in dataset.examples}
        for one in found:
            assert isinstance(one, Finding), f"{where}: {one!r} is no Finding"
            assert isinstance(one.severity, Severity), f"{where}: severity is {one.severity!r}"
            assert one.message.strip(), f"{where}: a finding says nothing"
            assert one.remedy.strip(), f"{where}: a finding does not say what to do next (remedy)"
            assert set(one.items) <= ids, f"{where}: a finding names an item that the dataset has not"


CHECKS = {"findings, or none, for any dataset": _findings}
