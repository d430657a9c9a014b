"""Which arm should serve the task, under your constraints: a verdict, its reasons, and what would change it.

Example: harness decide --min-accuracy 0.8 --max-cost 0.05 --volume 1000000 --margin 0.03
"""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from math import isinf
from typing import TYPE_CHECKING

import click

from harness.analysis import decision, measures, wording
from harness.app.commands import _estimated, _options
from harness.app.commands import _label_mix as label_mix
from harness.app.commands._groups import print_table
from harness.app.project import Project, estimated_results
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.analysis.decision import Candidate
    from harness.analysis.wording import Wording
    from harness.ground.constraints import Constraints

WANTED_TO = "decide"

SHARE, AMOUNT = click.FloatRange(0, 1), click.FloatRange(min=0)
OPTIONS = (
    _options.option("--min-credit", type=SHARE, default=None, help="Least mean credit."),
    _options.option("--min-accuracy", type=SHARE, default=None, help="The same, of answers that are right or wrong."),
    _options.option("--min-recall", multiple=True, metavar="LABEL=SHARE", help="Least recall of a label; repeatable."),
    *_options.METRIC_LIMITS,
    _options.option("--objective", default=None, metavar="METRIC", help="Choose by it; default: the headline metric."),
    _options.option("--max-cost", type=AMOUNT, default=None, metavar="USD", help="Most dollars per 1,000 items."),
    _options.option("--max-p95", type=AMOUNT, default=None, metavar="SECONDS", help="Slowest 95th percentile."),
    _options.option("--label-mix", multiple=True, metavar="FILE|LABEL=SHARE", help="Labels in production; repeatable."),
    _options.option("--margin", type=click.FloatRange(0, 1, min_open=True), default=None, help="How much to give up."),
    _options.option("--volume", type=click.IntRange(min=1), default=None, help="Items a month."),
    _options.option("--months", type=click.IntRange(min=1), default=None, help="Months the arm will serve."),
    _options.option("--label-price", type=AMOUNT, default=None, metavar="USD", help="Price of a training label."),
    _options.option("--retrain-every", type=click.IntRange(min=1), default=None, metavar="MONTHS", help="Retraining."),
    _options.option("--retrain-labels", type=click.IntRange(min=0), default=None, help="New labels each time."),
    _options.option("--hour-price", type=AMOUNT, default=None, metavar="USD", help="Price of an hour of work."),
    _options.option("--hours", multiple=True, metavar="ARM=HOURS", help="Work to build an arm; repeatable."),
    _options.option("--hosting", type=click.Choice(["shared", "own"]), default=None, help="Whose machine arms run on."),
    _options.option("--batch/--no-batch", default=None, help="Ask hosted models by batch: half price, no latency."),
    _estimated.OPTION,
)
NAMES = {
    "min_credit": "min_credit",
    "min_accuracy": "min_accuracy",
    "objective": "objective",
    "max_cost": "max_usd_per_1000",
    "max_p95": "max_p95_s",
    "margin": "margin",
    "volume": "monthly_volume",
    "months": "months",
    "label_price": "usd_per_label",
    "retrain_every": "retrain_every_months",
    "retrain_labels": "labels_per_retraining",
    "hour_price": "usd_per_hour_of_work",
    "hosting": "hosting",
    "batch": "batch",
}


@dataclass(frozen=True, slots=True)
class Options(_options.Moment):
    """What the command line chose; None leaves the workspace's setting."""

    min_credit: float | None
    min_accuracy: float | None
    min_recall: tuple[str, ...]
    at_least: tuple[str, ...]
    at_most: tuple[str, ...]
    objective: str | None
    label_mix: tuple[str, ...]
    max_cost: float | None
    max_p95: float | None
    margin: float | None
    volume: int | None
    months: int | None
    label_price: float | None
    retrain_every: int | None
    retrain_labels: int | None
    hour_price: float | None
    hours: tuple[str, ...]
    hosting: str | None
    batch: bool | None
    estimate: bool
    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, *_options.MOMENT)
def command(options: Options) -> None:
    """The verdict."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    make = estimated_results.results if options.estimate else Project.results
    results = make(project, dataset, options.split)
    arms = {called for result in results.runs for called in (result.run.arm, result.run.arm_name)}
    constraints = _constraints(options, project.workspace.preferences.decide, Task.of(dataset), arms)
    found = decision.decide(results, constraints)
    said = wording.of(measures.named(results.split.task, found.objective))
    called = {
        one.run.run_id: {
            "name": one.run.name,
            "arm": one.run.arm,
            "missing": one.missing,
            "accuracy": asdict(one.headline) if results.split.task.rules.IS_BINARY else None,
        }
        for one in results.by_arm.runs
    }
    if options.as_json:
        _options.print_json(
            asdict(found)
            | {"constraints": asdict(constraints), "dataset": dataset.ref, "split": options.split}
            | ({"subsample_of": results.split.subsample_of} if results.split.subsample_of else {})
            | {"next": decision.next_command(found.recommendation, results.split)}
            | {"candidates": [_candidate(one, called[one.run_id], found.objective, said) for one in found.candidates]}
            | {"passed_over": [asdict(run) for run in results.passed_over]}
        )
        return
    print_table(
        ("arm", said.noun, "95%", "$ per 1,000", "p95", "$ a month"),
        [_row(one) for one in sorted(found.candidates, key=lambda one: -(one.merit or 0.0))],
        numeric=(said.noun, "95%", "$ per 1,000", "p95", "$ a month"),
    )
    click.echo(_reckoned_with(constraints))
    dominated = [f"{one.arm} by {one.dominated_by}" for one in found.candidates if one.dominated_by]
    if dominated:
        click.echo(f"{said.worse}, and neither cheaper nor faster: {', '.join(dominated)}")
    click.echo()
    click.echo(click.style(found.headline, bold=True))
    click.echo("\n".join(f"- {reason}" for reason in found.reasons))
    if found.what_would_change_it:
        click.echo("What would change it:\n" + "\n".join(f"- {change}" for change in found.what_would_change_it))
    if options.estimate and found.more_items:
        where = f"{shlex.quote(dataset.ref)} --split {shlex.quote(options.split)}"
        click.echo(f"Labels: {_options.here(f'harness label {where} --n {found.more_items}')}")
    following = decision.next_command(found.recommendation, results.split)
    if following is not None:
        click.echo(f"Next: {_options.here(following)}")
    if results.split.subsample_of:
        click.echo(wording.looked_at(results.split.n, results.split.subsample_of))
    lacking = [one for one in results.by_arm.runs if one.missing]
    for one in lacking:
        n = formatting.plural(results.split.n, "item")
        click.echo(f"{one.run.name}: {one.missing:,} of the {n} missing; compared on those that both arms have")
    click.echo("\n".join(_options.passed_over(results.passed_over)), nl=bool(results.passed_over))


def _reckoned_with(constraints: Constraints) -> str:
    """The traffic and the prices behind the bills, in one line."""
    said = [
        f"{constraints.monthly_volume:,} items a month for {constraints.months} months",
        f"{formatting.dollars(constraints.usd_per_label)} a label",
        f"margin {formatting.share(constraints.margin)}",
    ]
    if constraints.retrain_every_months:
        said.append(
            f"{formatting.plural(constraints.retrainings, 'retraining')} with {constraints.labels_per_retraining:,} "
            "labels"
        )
    if constraints.usd_per_hour_of_work:
        said.append(f"{formatting.dollars(constraints.usd_per_hour_of_work)} an hour of work")
    said.append("machines of their own" if constraints.hosting == "own" else "machines shared with other work")
    if constraints.batch:
        said.append("hosted models by batch")
    return ", ".join(said)


def _candidate(one: Candidate, called: Mapping[str, object], objective: str, said: Wording) -> dict[str, object]:
    own = asdict(one.headline)
    accuracy = {"accuracy": own} if said.counts_right else {}
    return {**asdict(one), **called, "headline": {"metric": objective, **own}, **accuracy}


def _constraints(options: Options, settings: Constraints, task: Task, arms: Collection[str]) -> Constraints:
    labels = task.labels
    chosen = {ours: getattr(options, theirs) for theirs, ours in NAMES.items()}
    given = {name: value for name, value in chosen.items() if value is not None}
    recall = dict(settings.min_recall) | dict(_recall(text, labels) for text in options.min_recall)
    hours = dict(settings.hours) | dict(_hours(text, arms) for text in options.hours)
    least = dict(settings.at_least) | _options.limits(options.at_least, "--at-least")
    most = dict(settings.at_most) | _options.limits(options.at_most, "--at-most")
    mix = label_mix.parsed(options.label_mix, labels) or settings.label_mix
    return replace(settings, min_recall=recall, hours=hours, at_least=least, at_most=most, label_mix=mix, **given)


def _recall(text: str, labels: Collection[str]) -> tuple[str, float]:
    label, share = label_mix.named(text, "--min-recall", "LABEL=SHARE", labels)
    if not 0 <= share <= 1:
        raise ConfigError(f"--min-recall {text!r}: found {share:g}; expected a share from 0 to 1")
    return label, share


def _hours(text: str, arms: Collection[str]) -> tuple[str, float]:
    arm, hours = label_mix.named(text, "--hours", "ARM=HOURS", arms)
    if not hours >= 0 or isinf(hours):
        raise ConfigError(f"--hours {text!r}: found {hours:g}; expected a number of hours from 0 up")
    return arm, hours


def _row(one: Candidate) -> tuple[str, ...]:
    return (
        one.arm,
        formatting.share(one.headline.value),
        formatting.span(one.headline),
        formatting.dollars(one.usd_per_1000),
        formatting.duration(one.p95_s),
        formatting.dollars(one.monthly_usd),
    )
