"""Which arm should serve the task, under your constraints: a verdict, its reasons, and what would change it.

Example: harness decide --min-accuracy 0.8 --max-cost 0.05 --volume 1000000 --margin 0.03
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import isinf
from typing import TYPE_CHECKING

import click

from harness.analysis import decision
from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.errors import ConfigError, one_of
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.analysis.decision import Candidate
    from harness.ground.constraints import Constraints

SHARE, AMOUNT = click.FloatRange(0, 1), click.FloatRange(min=0)
OPTIONS = (
    _options.option("--min-credit", type=SHARE, default=None, help="Least mean credit."),
    _options.option("--min-accuracy", type=SHARE, default=None, help="The same, of answers that are right or wrong."),
    _options.option("--min-recall", multiple=True, metavar="LABEL=SHARE", help="Least recall of a label; repeatable."),
    _options.option("--max-cost", type=AMOUNT, default=None, metavar="USD", help="Most dollars per 1,000 items."),
    _options.option("--max-p95", type=AMOUNT, default=None, metavar="SECONDS", help="Slowest 95th percentile."),
    _options.option("--margin", type=click.FloatRange(0, 1, min_open=True), default=None, help="Accuracy to give up."),
    _options.option("--volume", type=click.IntRange(min=1), default=None, help="Items a month."),
    _options.option("--months", type=click.IntRange(min=1), default=None, help="Months the arm will serve."),
    _options.option("--label-price", type=AMOUNT, default=None, metavar="USD", help="Price of a training label."),
    _options.option("--retrain-every", type=click.IntRange(min=1), default=None, metavar="MONTHS", help="Retraining."),
    _options.option("--retrain-labels", type=click.IntRange(min=0), default=None, help="New labels each time."),
    _options.option("--hour-price", type=AMOUNT, default=None, metavar="USD", help="Price of an hour of work."),
    _options.option("--hours", multiple=True, metavar="ARM=HOURS", help="Work to build an arm; repeatable."),
    _options.option("--hosting", type=click.Choice(["shared", "own"]), default=None, help="Whose machine arms run on."),
    _options.option("--batch/--no-batch", default=None, help="Ask hosted models by batch: half price, no latency."),
)
NAMES = {
    "min_credit": "min_credit",
    "min_accuracy": "min_accuracy",
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
class Options(_options.Where):
    """What the command line chose; None leaves the workspace's setting."""

    min_credit: float | None
    min_accuracy: float | None
    min_recall: tuple[str, ...]
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
    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, *_options.WHERE)
def command(options: Options) -> None:
    """The verdict."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    results = project.results(dataset, options.split)
    arms = {called for result in results.runs for called in (result.run.arm, result.run.arm_name)}
    constraints = _constraints(options, project.workspace.preferences.decide, dataset.label_names, arms)
    found = decision.decide(results, constraints)
    called = {
        one.run.run_id: {"name": one.run.name, "arm": one.run.arm, "missing": one.missing}
        for one in results.by_arm.runs
    }
    if options.as_json:
        _options.print_json(
            asdict(found)
            | {"constraints": asdict(constraints), "dataset": dataset.ref, "split": options.split}
            | {"candidates": [{**asdict(one), **called[one.run_id]} for one in found.candidates]}
            | {"passed_over": [asdict(run) for run in results.passed_over]}
        )
        return
    print_table(
        ("arm", "accuracy", "95%", "$ per 1,000", "p95", "$ a month"),
        [_row(one) for one in sorted(found.candidates, key=lambda one: -(one.accuracy.value or 0.0))],
        numeric=("accuracy", "95%", "$ per 1,000", "p95", "$ a month"),
    )
    click.echo(_reckoned_with(constraints))
    dominated = [f"{one.arm} by {one.dominated_by}" for one in found.candidates if one.dominated_by]
    if dominated:
        click.echo(f"less accurate, and neither cheaper nor faster: {', '.join(dominated)}")
    click.echo()
    click.echo(click.style(found.headline, bold=True))
    click.echo("\n".join(f"- {reason}" for reason in found.reasons))
    if found.what_would_change_it:
        click.echo("What would change it:\n" + "\n".join(f"- {change}" for change in found.what_would_change_it))
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


def _constraints(
    options: Options, settings: Constraints, labels: Collection[str], arms: Collection[str]
) -> Constraints:
    chosen = {ours: getattr(options, theirs) for theirs, ours in NAMES.items()}
    given = {name: value for name, value in chosen.items() if value is not None}
    recall = dict(settings.min_recall) | dict(_recall(text, labels) for text in options.min_recall)
    hours = dict(settings.hours) | dict(_hours(text, arms) for text in options.hours)
    return replace(settings, min_recall=recall, hours=hours, **given)


def _recall(text: str, labels: Collection[str]) -> tuple[str, float]:
    label, share = _named(text, "--min-recall", "LABEL=SHARE", labels)
    if not 0 <= share <= 1:
        raise ConfigError(f"--min-recall {text!r}: found {share:g}; expected a share from 0 to 1")
    return label, share


def _hours(text: str, arms: Collection[str]) -> tuple[str, float]:
    arm, hours = _named(text, "--hours", "ARM=HOURS", arms)
    if not hours >= 0 or isinf(hours):
        raise ConfigError(f"--hours {text!r}: found {hours:g}; expected a number of hours from 0 up")
    return arm, hours


def _named(text: str, option: str, form: str, known: Collection[str]) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    if name not in known:
        raise ConfigError(f"{option} {text!r}: expected {form}; {one_of(name, known)}")
    try:
        return name, float(number)
    except ValueError:
        raise ConfigError(f"{option} {text!r}: {number!r} is not a number; expected {form}") from None


def _row(one: Candidate) -> tuple[str, ...]:
    return (
        one.arm,
        formatting.share(one.accuracy.value),
        formatting.span(one.accuracy),
        formatting.dollars(one.usd_per_1000),
        formatting.duration(one.p95_s),
        formatting.dollars(one.monthly_usd),
    )
