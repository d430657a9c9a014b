"""Learning curve: a metric by number of labels, and from how many labels on an arm meets a stored run.

Example: harness curve minilm-lr --against prompt:v3
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click
import numpy as np

from harness.analysis import curves, measures
from harness.analysis.curves import Rival
from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.app.project import curves as curve_runs
from harness.app.project.curves import CurvePlan
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import formatting
from harness.runs import folds_and_parts
from harness.runs.spread import Size

if TYPE_CHECKING:
    from harness.analysis.curves import Curve
    from harness.analysis.measures import Measure
    from harness.app.project import Project
    from harness.types import Dataset

WANTED_TO = "compare"

OPTIONS = (
    click.argument("arms", nargs=-1, metavar="ARM..."),
    _options.option("--against", default=None, metavar="RUN", help="Run id, tag or arm that the curve has to meet."),
    _options.model,
    _options.option("--labels", default=None, metavar="N,N,...", help="Label counts; default: six, up to all."),
    _options.option("--per-class", default=None, metavar="K,K,...", help="Label counts of each label instead."),
    _options.option("--seeds", type=click.IntRange(1, 100), default=5, help="How often labels are drawn."),
    _options.option("--margin", type=click.FloatRange(0, 1), default=0.0, help="How far below RUN is good enough."),
    _options.option("--metric", default=None, metavar="NAME", help="What to draw; default: the headline metric."),
    _options.option("--all-sizes", is_flag=True, help="Go on where the curve is flat."),
    _options.option("--processes", type=click.IntRange(min=1), default=None, help="Default: one a core."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Which):
    """What the command line chose."""

    arms: tuple[str, ...]
    against: str | None
    model: str | None
    labels: str | None
    per_class: str | None
    seeds: int
    margin: float
    metric: str | None
    all_sizes: bool
    processes: int | None


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHICH)
def command(options: Options) -> None:
    """Measure learning curves."""
    if not options.arms:
        raise ConfigError("curve takes one arm or more that learn from labels; found none")
    project = options.project()
    dataset = project.dataset(options.dataset)
    measure = measures.mean_of_items(Task.of(dataset), options.metric, "has no learning curve")
    rival = _rival(project, dataset, options, measure) if options.against else None
    curve_plan = CurvePlan(
        tuple(dict.fromkeys(options.arms)),
        _sizes(dataset, options),
        tuple(range(options.seeds)),
        options.split,
        options.limit,
        options.processes,
        options.all_sizes,
        measure.name,
    )
    found = curve_runs.learn(project, dataset, curve_plan, lambda line: click.echo(line, err=True))
    groups = {one.item.id: one.group for one in dataset.in_split(options.split) if one.group is not None}
    drawn = curves.analyse(found, groups, rival, options.margin / measure.span, np.random.default_rng(options.seed))
    drawn = [curves.in_unit(curve, measure) for curve in drawn]
    if options.as_json:
        where = {"dataset": dataset.ref, "split": options.split, "metric": measure.name}
        objects = [_json(curve) | where for curve in drawn]
        _options.print_json(objects[0] if len(objects) == 1 else objects)
        return
    for curve in drawn:
        _show(curve, dataset, options)


def _rival(project: Project, dataset: Dataset, options: Options, measure: Measure) -> Rival:
    assert options.against is not None
    answers = project.answers(dataset, options.split, [options.against], options.model)[0]
    for line in _options.passed_over(answers.passed_over):
        click.echo(line, err=True)
    return curve_runs.rival(measure.judged(answers), f"{dataset.ref} / {options.split}")


def _sizes(dataset: Dataset, options: Options) -> tuple[Size, ...]:
    if options.labels and options.per_class:
        raise ConfigError("--labels and --per-class say the same thing twice; give one of them")
    training = curve_runs.training(dataset)
    if options.per_class:
        most = max(sum(one.label == name for one in training) for name in dataset.label_names)
        return tuple(Size(k, is_per_class=True) for k in _counts(options.per_class, "--per-class", most))
    if options.labels:
        return tuple(Size(n) for n in _counts(options.labels, "--labels", len(training)))
    return tuple(Size(n) for n in folds_and_parts.default_sizes(len(training), len(dataset.label_names)))


def _counts(text: str, option: str, most: int) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and 1 <= int(word) <= most for word in words):
        raise ConfigError(f"{option} {text!r}: expected whole numbers from 1 to {most:,}, with commas between them")
    return sorted({int(word) for word in words})


def _json(curve: Curve) -> dict[str, object]:
    """The contract's keys, and what stands behind them."""
    crossing = curve.crossover
    reason = "there is nothing to cross; give --against RUN" if crossing is None else crossing.reason
    return {
        "arm": curve.arm,
        "seeds": curve.seeds,
        "points": [asdict(point) for point in curve.points],
        "crossover": None if crossing is None or crossing.labels is None else asdict(crossing),
        "reason": reason or None,
        "against": curve.rival,
        "level": None if curve.level is None else asdict(curve.level),
        "worth": [asdict(worth) for worth in curve.worth],
        "guess": None if curve.guess is None else asdict(curve.guess),
        "is_flat": curve.is_flat,
    }


def _show(curve: Curve, dataset: Dataset, options: Options) -> None:
    draws = formatting.plural(curve.seeds, "draw")
    click.echo(f"\n{curve.arm} on {dataset.ref} / {options.split}: {draws} of labels for each size")
    print_table(
        ("labels", curve.noun, "95%"),
        [
            (formatting.count(point.n_labels), formatting.share(point.estimate.value), formatting.span(point.estimate))
            for point in curve.points
        ],
        numeric=("labels", "accuracy", "95%"),
    )
    click.echo("\n".join(curves.sentences(curve, options.margin)))
