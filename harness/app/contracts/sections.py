"""A section of the report: blocks, whatever the results are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.app.contracts import _samples
from harness.report import html, markdown, terminal
from harness.report.blocks import Section, Table

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject


def _order(subject: Subject) -> None:
    order = subject.module.ORDER
    assert isinstance(order, int | float), f"{subject.name}: ORDER is {order!r}; expected a number"


def _blocks(subject: Subject) -> None:
    for what, results in _samples.results(subject.module).items():
        found = subject.module.section(results)
        if found is None:
            continue
        where = f"{subject.name}, results: {what}"
        assert isinstance(found, Section), f"{where}: section gave {type(found).__name__}; expected a Section or None"
        assert found.title, f"{where}: the section has no title"
        for table in (block for block in found.blocks if isinstance(block, Table)):
            for row in table.rows:
                assert len(row) == len(table.columns), (
                    f"{where}: a row of {len(row)} cells, {len(table.columns)} columns"
                )
                assert all(isinstance(cell, str) for cell in row), f"{where}: a cell is no text: {row!r}"
        assert found == subject.module.section(results), f"{where}: twice the same results, two sections"


def _renders(subject: Subject) -> None:
    for results in _samples.results(subject.module).values():
        found = subject.module.section(results)
        if found is not None:
            page = html.render("contract", [found], {})
            assert "<script>alert" not in page, f"{subject.name}: a text of the dataset acts in the page"
            markdown.render("contract", [found])
            terminal.render(found)


CHECKS = {
    "ORDER": _order,
    "blocks of text, or nothing, for any results": _blocks,
    "page, Markdown and terminal take it": _renders,
}
