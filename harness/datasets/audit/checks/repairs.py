"""What the recipe of a dataset mended, or read in a way of its own, so that nobody takes it for the source's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.findings import Finding, Severity

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject


def check(subject: Subject) -> list[Finding]:
    """What the manifest says under `[source] repaired`; nothing where nothing was."""
    said = subject.dataset.source.get("repaired")
    if not said:
        return []
    return [
        Finding(
            Severity.NOTE,
            f"not as in the source: {said}",
            "nothing, unless you compare with numbers that were made from the source as it is",
            facts={"repaired": 1},
        )
    ]
