"""The results of some of a split's arms, as if only they had been asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import ConfigError, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.curves import Curves
    from harness.analysis.results import Results


def of_arms(results: Results, names: Sequence[str]) -> Results:
    """The results of some arms alone, by name, in the order of `results`; `ConfigError` for an unknown name."""
    wanted = set(names)
    chosen = tuple(one for one in results.runs if {one.run.name, one.run.arm_name, one.run.run_id} & wanted)
    there = {name for one in results.runs for name in (one.run.name, one.run.arm_name, one.run.run_id)}
    for name in names:
        if name not in there:
            shown = {one.run.arm_name for one in results.runs}
            where = f"{results.split.dataset} / {results.split.name}"
            raise ConfigError(f"unknown arm {name!r} on {where}; {one_of(name, shown)}")
    ids = [one.run.run_id for one in chosen]
    rows = results.predictions[results.predictions["run_id"].isin(ids)]
    known = results.known_arms or tuple(sorted({one.run.arm_name for one in results.runs}))
    return replace(results, runs=chosen, predictions=rows, known_arms=known, curves=_curves_of(results, wanted))


def _curves_of(results: Results, wanted: set[str]) -> Curves | None:
    found = results.curves
    if found is None:
        return None
    learnt = tuple(one for one in found.learnt if one.arm in wanted)
    fits = tuple(one for one in found.fits if one.arm in wanted)
    return replace(found, learnt=learnt, fits=fits) if learnt else None
