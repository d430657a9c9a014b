"""Compare two runs, or all arms with each other, item by item: 2x2 table, difference with interval, p, MDE.

Example: harness compare prompt:v3 minilm-lr
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click
import numpy as np
from rich.console import Console

from harness.analysis import comparison
from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.errors import ConfigError
from harness.ground import formatting

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.stats.paired import Table2x2
    from harness.types import JSON, Estimate

OPTIONS = (
    click.argument("arms", nargs=-1, metavar="[A B]"),
    _options.option("--items", type=click.IntRange(min=0), default=10, help="Items on which they differ, to print."),
    _options.model,
)

FURTHER = {
    "macro_f1": lambda found: f"macro-F1 differs by {formatting.with_interval(found)}",
    "cost_per_1000_usd": lambda found: f"cost per 1,000 items by {formatting.between(found, formatting.dollars)}",
    "p95_s": lambda found: (
        f"95th percentile of latency by {formatting.between(found, formatting.duration)} "
        f"({formatting.plural(found.n, 'timed item')})"
    ),
}
"""What else differs, in words."""


def _measured(found: Estimate) -> str:
    """The difference in a metric of a file."""
    return f"{found.name} differs by {formatting.with_interval(found)}"


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose: two arms, or none for all."""

    arms: tuple[str, ...]
    items: int
    model: str | None
    dataset: str | None
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, _options.seed, *_options.WHERE)
def command(options: Options) -> None:
    """Compare runs."""
    if len(options.arms) not in (0, 2):
        raise ConfigError(f"compare takes two arms, or none to compare all; found {len(options.arms)}")
    project = options.project()
    dataset = project.dataset(options.dataset)
    rng = np.random.default_rng(options.seed)
    if options.arms:
        answers = project.answers(dataset, options.split, options.arms, options.model)
        if set(answers[0].run_ids) == set(answers[1].run_ids):
            raise ConfigError(f"{options.arms[0]!r} and {options.arms[1]!r} are the same run; compare takes two")
        one = comparison.compare(answers[0], answers[1], rng)
        left_out, passed_over = answers[0].left_out, (*answers[0].passed_over, *answers[1].passed_over)
        if options.as_json:
            ids = {"a_run_id": answers[0].run_ids[0], "b_run_id": answers[1].run_ids[0]}
            datasets = {"datasets": [arm.dataset for arm in answers], "left_out": left_out or None}
            _options.print_json({**_json(one), **ids, **datasets, "passed_over": [asdict(run) for run in passed_over]})
            return
        _show(one, options.items, left_out)
        click.echo("\n".join(_options.passed_over(passed_over)), nl=bool(passed_over))
        return
    beside = project.side_by_side(dataset, options.split)
    names = beside.panel.names
    if len(names) < 2:
        raise ConfigError(f"{dataset.ref} / {options.split} has {len(names)} arms in the store; two can be compared")
    made = comparison.compare_all(beside.panel)
    if options.as_json:
        over = [asdict(run) for run in beside.passed_over]
        run_of = beside.run_ids
        _options.print_json(
            [{**_json(one), "a_run_id": run_of[one.a], "b_run_id": run_of[one.b], "passed_over": over} for one in made]
        )
        return
    _show_all(made)
    click.echo("\n".join(_options.passed_over(beside.passed_over)), nl=bool(beside.passed_over))


def _show(one: Comparison, items: int, left_out: str = "") -> None:
    click.echo(f"{one.a} against {one.b} on {formatting.plural(one.n, 'shared item')}")
    click.echo(f"{left_out}\n" if left_out else "")
    if one.table is not None:
        _show_table(one, one.table)
    click.echo("\n".join(sentences(one)))
    if one.changed and items:
        Console().print()
        shown = one.changed[:items]
        print_table(
            ("item", "gold", one.a, one.b),
            [(item.example_id, item.gold, item.a or "(none)", item.b or "(none)") for item in shown],
        )
        click.echo(f"{len(shown)} of {len(one.changed):,} items on which they differ; --items shows more, --json all")


def _show_table(one: Comparison, table: Table2x2) -> None:
    print_table(
        ("", f"{one.b} right", f"{one.b} wrong"),
        [
            (f"{one.a} right", f"{table.both:,}", f"{table.only_a:,}"),
            (f"{one.a} wrong", f"{table.only_b:,}", f"{table.neither:,}"),
        ],
        numeric=(f"{one.b} right", f"{one.b} wrong"),
    )


def sentences(one: Comparison) -> list[str]:
    """The comparison in words: what was found, how sure, and what so many items can show."""
    lines = [
        f"difference {formatting.with_interval(one.difference)}, p {formatting.p_value(one.p_value)} ({one.method})",
        f"so many items, disagreeing so often, show a difference of {formatting.share(one.mde)} or more with 80% power"
        if one.mde
        else "so few disagree that no difference can show",
    ]
    lines += [FURTHER.get(found.name, _measured)(found) for found in one.further if found.value is not None]
    if one.answered is not None:
        lines.append(
            f"unanswered items count as {'wrong' if one.table is not None else '0'}; on the {one.answered.n:,} that "
            "both answered: "
            f"{formatting.with_interval(one.answered.difference)}, p {formatting.p_value(one.answered.p_value)}"
        )
    if one.failed:
        lines.append(f"{formatting.plural(one.failed, 'item')} left out: a call failed")
    if one.unshared:
        lines.append(f"{formatting.plural(one.unshared, 'item')} left out: asked of one of the two only")
    return lines


def _show_all(made: list[Comparison]) -> None:
    print_table(
        ("a", "b", "items", "a minus b", "95%", "p, Holm", "MDE"),
        [
            (
                one.a,
                one.b,
                f"{one.n:,}",
                formatting.share(one.difference.value),
                formatting.interval(one.lead),
                formatting.p_value(one.adjusted_p),
                formatting.share(one.mde),
            )
            for one in made
        ],
        numeric=("items", "a minus b", "95%", "p, Holm", "MDE"),
    )
    click.echo(
        f"{len(made)} comparisons; p (Holm) and the interval hold for all of them at once, --json has each one's own."
    )


def _json(one: Comparison) -> dict[str, JSON]:
    table = one.table
    return {
        "a": one.a,
        "b": one.b,
        "n": one.n,
        **{name: None if table is None else getattr(table, name) for name in ("both", "only_a", "only_b", "neither")},
        "difference": asdict(one.difference),
        "together": None if one.together is None else asdict(one.together),
        "p_value": one.p_value,
        "adjusted_p": one.adjusted_p,
        "method": one.method,
        "mde": one.mde,
        "failed": one.failed,
        "unshared": one.unshared,
        "further": [asdict(estimate) for estimate in one.further],
        "answered": None if one.answered is None else {k: v for k, v in _json(one.answered).items() if k != "changed"},
        "changed": [asdict(item) for item in one.changed],
    }
