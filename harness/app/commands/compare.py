"""Compare two runs, or all arms with each other, item by item: 2x2 table, difference with interval, p, MDE.

Example: harness compare prompt:v3 minilm-lr
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click
import numpy as np

from harness.analysis import comparison, measures, pair_words, units
from harness.app.commands import _comparing, _completion, _estimated, _options
from harness.app.commands._groups import print_table
from harness.app.project import estimating
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import formatting

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.measures import Measure
    from harness.app.project import Project
    from harness.stats.paired import Table2x2
    from harness.types import Dataset

WANTED_TO = "compare"

OPTIONS = (
    _options.argument("arms", _completion.ARMS, nargs=-1, metavar="[A B]"),
    _options.option("--items", type=click.IntRange(min=0), default=10, help="Items on which they differ, to print."),
    _options.option("--metric", default=None, metavar="NAME", help="What to compare; default: the headline metric."),
    _options.model,
    _estimated.OPTION,
)


@dataclass(frozen=True, slots=True)
class Options(_options.Moment):
    """What the command line chose: two arms, or none for all."""

    arms: tuple[str, ...]
    items: int
    metric: str | None
    model: str | None
    estimate: bool
    dataset: str | None
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, _options.seed, *_options.MOMENT)
def command(options: Options) -> None:
    """Compare runs."""
    if len(options.arms) not in (0, 2):
        raise ConfigError(f"compare takes two arms, or none to compare all; found {len(options.arms)}")
    project = options.project()
    dataset = project.dataset(options.dataset)
    if options.estimate:
        _estimate(options, project, dataset)
        return
    rng = np.random.default_rng(options.seed)
    measure = measures.mean_of_items(Task.of(dataset), options.metric, "compares no arms")
    if options.arms:
        answers = project.answers(dataset, options.split, options.arms, options.model)
        if set(answers[0].run_ids) == set(answers[1].run_ids):
            raise ConfigError(f"{options.arms[0]!r} and {options.arms[1]!r} are the same run; compare takes two")
        one = comparison.compare(measure.judged(answers[0]), measure.judged(answers[1]), rng)
        one = units.in_unit(one, measure)
        left_out, passed_over = answers[0].left_out, (*answers[0].passed_over, *answers[1].passed_over)
        if options.as_json:
            ids = {"a_run_id": answers[0].run_ids[0], "b_run_id": answers[1].run_ids[0]}
            ids["metric"] = measure.name
            datasets = {"datasets": [arm.dataset for arm in answers], "left_out": left_out or None}
            _options.print_json(
                {**_comparing.as_json(one), **ids, **datasets, "passed_over": [asdict(run) for run in passed_over]}
            )
            return
        _show(one, options.items, left_out, measure)
        _say_family(project, dataset, options.split)
        click.echo("\n".join(_options.passed_over(passed_over)), nl=bool(passed_over))
        return
    beside = project.side_by_side(dataset, options.split, measure)
    names = beside.panel.names
    if len(names) < 2:
        raise ConfigError(f"{dataset.ref} / {options.split} has {len(names)} arms in the store; two can be compared")
    made = [units.in_unit(one, measure) for one in comparison.compare_all(beside.panel)]
    if options.as_json:
        over = [asdict(run) for run in beside.passed_over]
        run_of = beside.run_ids
        _options.print_json(
            [
                {**_comparing.as_json(one), "a_run_id": run_of[one.a], "b_run_id": run_of[one.b]}
                | {"metric": measure.name, "passed_over": over}
                | ({"left_out": beside.note} if beside.note else {})
                for one in made
            ]
        )
        return
    _show_all(made, measure)
    click.echo(beside.note, nl=bool(beside.note))
    click.echo("\n".join(_options.passed_over(beside.passed_over)), nl=bool(beside.passed_over))


def _estimate(options: Options, project: Project, dataset: Dataset) -> None:
    _estimated.check(Task.of(dataset), options.metric, options.model)
    made = estimating.estimate(project, dataset, options.split).checked()
    if options.arms:
        _estimated.pair(made, dataset, options.arms, options.items, as_json=options.as_json)
    else:
        _estimated.every_pair(made, as_json=options.as_json)
    if not options.as_json:
        click.echo("\n".join(_options.passed_over(made.passed_over)), nl=bool(made.passed_over))


def _show(one: Comparison, items: int, left_out: str, measure: Measure) -> None:
    click.echo(f"{one.a} against {one.b} on {formatting.plural(one.n, 'shared item')}")
    click.echo(f"{left_out}\n" if left_out else "")
    if one.table is not None:
        _show_table(one, one.table)
    click.echo("\n".join(_comparing.sentences(one, measure)))
    if one.changed and items:
        click.echo()
        shown = one.changed[:items]
        _comparing.print_changes(one, shown)
        click.echo(f"{len(shown)} of {len(one.changed):,} items on which they differ; --items shows more, --json all")


def _say_family(project: Project, dataset: Dataset, split: str) -> None:
    """Of whom the p-value holds, where there are more arms than the two."""
    arms = len(project.store.selection().arms(project.where(dataset, split)))
    if arms > 2:
        click.echo(
            f"This p is that of two arms named before anybody looked: harness compare, without names, corrects for all "
            f"{arms * (arms - 1) // 2:,} pairs on this split"
        )


def _show_table(one: Comparison, table: Table2x2) -> None:
    print_table(
        ("", f"{one.b} right", f"{one.b} wrong"),
        [
            (f"{one.a} right", f"{table.both:,}", f"{table.only_a:,}"),
            (f"{one.a} wrong", f"{table.only_b:,}", f"{table.neither:,}"),
        ],
        numeric=(f"{one.b} right", f"{one.b} wrong"),
    )


def _show_all(made: list[Comparison], measure: Measure) -> None:
    if not measure.is_headline:
        click.echo(f"by {measure.noun}, of which {'more' if measure.is_more_better else 'less'} is better")
    print_table(
        ("a", "b", "items", "a minus b", "95%", "p, Holm", "MDE"),
        [
            (
                one.a,
                one.b,
                f"{one.n:,}",
                formatting.share(one.difference.value),
                formatting.interval(one.lead),
                pair_words.p_value(one),
                formatting.share(one.mde),
            )
            for one in made
        ],
        numeric=("items", "a minus b", "95%", "p, Holm", "MDE"),
    )
    click.echo(
        f"{len(made)} comparisons; p (Holm) and the interval hold for all of them at once, --json has each one's own."
        f"{pair_words.failures(made)}"
    )
