"""A figure: a drawing with its table and its words, whatever the results are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from harness.app.contracts import _samples

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject


def _constants(subject: Subject) -> None:
    module = subject.module
    assert isinstance(module.TITLE, str), f"{subject.name}: TITLE is {module.TITLE!r}"
    assert isinstance(module.ORDER, int | float), f"{subject.name}: ORDER is {module.ORDER!r}; expected a number"


def _drawings(subject: Subject) -> None:
    drawings = import_module("harness.report.drawings")  # loads matplotlib
    for what, results in _samples.results(subject.module).items():
        one, other = (drawings.drawn_by(subject.name, subject.module, results) for _ in range(2))
        if one is None:
            continue
        where = f"{subject.name}, results: {what}"
        assert one.alt, f"{where}: no words say what is drawn (alt)"
        assert one.caption, f"{where}: no words say how to read it (caption)"
        assert one.svg == other.svg, f"{where}: twice the same results, two drawings"
        assert len(one.table.splitlines()) > 1, f"{where}: no table stands behind it"


CHECKS = {
    "TITLE and ORDER": _constants,
    "a drawing with words and a table, or nothing, for any results": _drawings,
}
