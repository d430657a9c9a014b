"""SQL that gives a report's numbers again: the scored rows of its runs, and Wilson's interval as an expression."""

from __future__ import annotations

import re
import shlex
from statistics import NormalDist
from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.curves import Curves
    from harness.analysis.results import Results, RunResult

Z = NormalDist().inv_cdf(0.975)
PLAIN = re.compile(r'[^"$`\\!]*')  # what double quotes of a shell leave alone


def scored(results: Results, runs: Sequence[RunResult] | None = None) -> str:
    """The view `scored`, kept to some runs (default: all) and to the items that all were asked."""
    ids = ", ".join(quoted(result.run.run_id) for result in (results.runs if runs is None else runs))
    shared = f"select example_id from predictions where run_id = {quoted(results.leading)}"
    return f"(select * from scored where run_id in ({ids}) and example_id in ({shared}))"


def in_order(results: Results, runs: Sequence[RunResult] | None = None, column: str = "run_id") -> str:
    """The place of a row's run among the runs, to order by."""
    ids = ", ".join(quoted(result.run.run_id) for result in (results.runs if runs is None else runs))
    return f"list_position([{ids}], {column})"


def called(runs: Sequence[RunResult], table: str = "") -> str:
    """The column `arm`: what a row's run is called in the report, which is its arm where that says enough."""
    dotted = f"{table}." if table else ""
    other = [result.run for result in runs if result.run.name != result.run.arm]
    if not other:
        return f"{dotted}arm"
    cases = " ".join(f"when {quoted(run.run_id)} then {quoted(run.name)}" for run in other)
    return f"case {dotted}run_id {cases} else {dotted}arm end as arm"


def wilson(right: str, n: str) -> str:
    """Columns `low` and `high`: Wilson's 95% interval of `right` out of `n`, both SQL expressions."""
    z = f"{Z:.12f}"
    middle, spread = f"({right} / {n} + {z}^2 / (2 * {n}))", f"{right} / {n} * (1 - {right} / {n}) / {n}"
    margin, scale = f"({z} * sqrt({spread} + {z}^2 / (4 * {n}^2)))", f"(1 + {z}^2 / {n})"
    return f"({middle} - {margin}) / {scale} as low, ({middle} + {margin}) / {scale} as high"


def learnt(curves: Curves) -> str:
    """The scored rows of the runs behind learning curves, with `labels` and `seed`, on the items that count."""
    ids = ", ".join(quoted(fit.run_id) for fit in curves.fits)
    scored = f"select example_id from scored where run_id = {quoted(curves.rival_id or '')} and credit is not null"
    counted = "" if curves.rival_id is None else f" and example_id in ({scored})"
    return (
        "(select scored.*, runs.n_train as labels, runs.seed as seed from scored join runs using (run_id) "
        f"where run_id in ({ids}){counted})"
    )


def command(sql: str) -> str:
    """The query as a command that a shell takes."""
    line = " ".join(sql.split())
    return f'harness sql "{line}"' if PLAIN.fullmatch(line) else f"harness sql {shlex.quote(line)}"


def number(record: Mapping[str, object], name: str) -> float | None:
    """A cell of a query's answer as a number; None for null."""
    value = record[name]
    return None if formatting.is_missing(value) else float(str(value))


def whole(record: Mapping[str, object], name: str) -> int:
    """A cell of a query's answer as a whole number; null is 0."""
    return int(number(record, name) or 0)


def quoted(text: str) -> str:
    """The text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
