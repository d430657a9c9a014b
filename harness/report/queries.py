"""SQL that gives a report's numbers again: the scored rows of its runs, and Wilson's interval as an expression."""

from __future__ import annotations

import re
import shlex
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis import Results, RunResult

Z = NormalDist().inv_cdf(0.975)
PLAIN = re.compile(r'[^"$`\\!]*')  # what double quotes of a shell leave alone


def scored(results: Results, runs: Sequence[RunResult] | None = None) -> str:
    """The view `scored`, kept to some runs (default: all) and to the items that all were asked."""
    ids = ", ".join(_quoted(result.run.run_id) for result in (results.runs if runs is None else runs))
    shared = f"select example_id from predictions where run_id = {_quoted(results.leading)}"
    return f"(select * from scored where run_id in ({ids}) and example_id in ({shared}))"


def in_order(results: Results, runs: Sequence[RunResult] | None = None, column: str = "run_id") -> str:
    """The place of a row's run among the runs, to order by."""
    ids = ", ".join(_quoted(result.run.run_id) for result in (results.runs if runs is None else runs))
    return f"list_position([{ids}], {column})"


def wilson(right: str, n: str) -> str:
    """Columns `low` and `high`: Wilson's 95% interval of `right` out of `n`, both SQL expressions."""
    z = f"{Z:.12f}"
    middle, spread = f"({right} / {n} + {z}^2 / (2 * {n}))", f"{right} / {n} * (1 - {right} / {n}) / {n}"
    margin, scale = f"({z} * sqrt({spread} + {z}^2 / (4 * {n}^2)))", f"(1 + {z}^2 / {n})"
    return f"({middle} - {margin}) / {scale} as low, ({middle} + {margin}) / {scale} as high"


def command(sql: str) -> str:
    """The query as a command that a shell takes."""
    line = " ".join(sql.split())
    return f'harness sql "{line}"' if PLAIN.fullmatch(line) else f"harness sql {shlex.quote(line)}"


def number(record: Mapping[str, object], name: str) -> float | None:
    """A cell of a query's answer as a number; None for null."""
    value = record[name]
    return None if value is None or value != value else float(str(value))  # noqa: PLR0124  (NaN)


def whole(record: Mapping[str, object], name: str) -> int:
    """A cell of a query's answer as a whole number; null is 0."""
    return int(number(record, name) or 0)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
