"""The prompts themselves, and from version to version: what changed, what that fixed and what it broke."""

from __future__ import annotations

import difflib
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import comparison
from harness.analysis.improvement import stored_search
from harness.ground import formatting
from harness.report.blocks import Code, Column, Section, Table, Text
from harness.report.sections import _cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.analysis.comparison import Changed
    from harness.analysis.results import PromptText, Results, RunResult
    from harness.report.blocks import Block

ORDER = 70
SHOWN = 8


def section(results: Results) -> Section | None:
    """Every prompt, each beside the one before; nothing when no prompt was asked."""
    if not results.prompts:
        return None
    blocks: list[Block] = [Code(f"{prompt.arm}: the prompt", prompt.content) for prompt in results.prompts]
    for old, new in pairwise(results.prompts):
        if old.task == new.task:
            blocks += _change(results, old, new)
    return Section("Prompts", tuple(blocks))


def _change(results: Results, old: PromptText, new: PromptText) -> Iterator[Block]:
    lines = difflib.unified_diff(
        old.content.splitlines(), new.content.splitlines(), old.version, new.version, lineterm="", n=2
    )
    yield Code(f"{old.arm} to {new.arm}: what changed", "\n".join(lines), is_diff=True)
    yield from _searches(_asked(results, new))
    before, after = (_asked(results, prompt) for prompt in (old, new))
    pairs = [(a, b) for a in before for b in after if a.run.model == b.run.model]
    for a, b in pairs[:1]:
        yield from _effect(results, a, b)


def _searches(runs: Sequence[RunResult]) -> Iterator[Block]:
    """How a version was found, where a search found it: one sentence for the search that its runs know."""
    for result in runs:
        found = stored_search(result)
        if found is not None and found.levels:
            first, last = found.levels[0], found.levels[-1]
            yield Text(
                f"{result.run.name} was found by harness improve, of {formatting.plural(found.variants, 'variant')} of "
                f"{found.parent} that {found.proposed_by} proposed, {found.tried:,} of them tried, for "
                f"{formatting.dollars(found.spent_usd)}. On {found.chosen_on}, where it was chosen and so flatters "
                f"itself, the best went from {formatting.share(first[1])} to {formatting.share(last[1])}."
            )
            return


def _asked(results: Results, prompt: PromptText) -> list[RunResult]:
    return [result for result in results.runs if result.run.params.get("prompt") == prompt.id]


def _effect(results: Results, old: RunResult, new: RunResult) -> Iterator[Block]:
    one = comparison.compare(results.answers[new.run.run_id], results.answers[old.run.run_id], np.random.default_rng(0))
    fixed = [item for item in one.changed if item.right == "a"]
    broke = [item for item in one.changed if item.right == "b"]
    yield Text(
        f"{new.run.name} fixed {formatting.plural(len(fixed), 'item')} and broke {len(broke):,} of {one.n:,}: "
        f"{formatting.with_interval(one.difference)}, p {formatting.p_value(one.p_value)}."
    )
    for verb, items in (("fixed", fixed), ("broke", broke)):
        if items:
            yield _table(results, f"{new.run.name} {verb}", items, (old, new))


def _table(results: Results, what: str, items: Sequence[Changed], pair: tuple[RunResult, RunResult]) -> Table:
    said = _cells.texts(results)
    rows = tuple(
        (
            _cells.short(said.get(item.example_id, item.example_id), 100),
            item.gold,
            item.b or "(no answer)",
            item.a or "(no answer)",
        )
        for item in items[:SHOWN]
    )
    columns = (Column("item"), Column("gold"), *(Column(one.run.name) for one in pair))
    return Table(columns, rows, f"{what}: {len(rows)} of {formatting.plural(len(items), 'item')}.")
