"""What every arm is worth, from few gold labels and the predictions on all items.

Example: harness estimate --dataset tickets --split test
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.app.project import estimating
from harness.ground import formatting

if TYPE_CHECKING:
    from harness.analysis.estimation import ArmWorth
    from harness.app.project.estimating import Estimated
    from harness.stats.powered import Powered
    from harness.types import JSON

WANTED_TO = "decide"

COLUMNS = ("arm", "accuracy", "95% interval", "gold alone", "labels saved", "macro-F1")


@dataclass(frozen=True, slots=True)
class Options(_options.Moment):
    """What the command line chose."""

    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, _options.dataset, _options.split, *_options.MOMENT)
def command(options: Options) -> None:
    """Estimate every arm from few labels."""
    project = options.project()
    made = estimating.estimate(project, project.dataset(options.dataset), options.split).checked()
    arms = made.estimation.arms()
    if options.as_json:
        _options.print_json([_json(made, arm) for arm in arms])
        return
    show(made, arms)


def show(made: Estimated, arms: list[ArmWorth]) -> None:
    """The estimates as a table, the leader's lead, and what was left out."""
    estimation = made.estimation
    click.echo(
        f"{made.dataset} / {made.split}: {formatting.plural(estimation.n, 'gold label')} of "
        f"{formatting.plural(estimation.n_all, 'item')}, predictions on all of them"
    )
    print_table(COLUMNS, [_row(arm) for arm in arms], numeric=COLUMNS[1:])
    if len(arms) > 1 and estimation.n > 1:
        lead = estimation.difference(arms[0].name, arms[1].name)
        click.echo(
            f"{arms[0].name} leads {arms[1].name} by {formatting.with_interval(lead.estimate)}; "
            f"gold alone: {formatting.with_interval(lead.gold_alone)}"
        )
        click.echo(_further(made, arms))
    if made.unweighted:
        click.echo(
            f"left out: {formatting.plural(made.unweighted, 'label')} of items that were chosen, not drawn, "
            "so they stand for no others"
        )
    if made.unsettled:
        click.echo(made.unsettled)
    click.echo("\n".join(_options.passed_over(made.passed_over)), nl=bool(made.passed_over))


def _further(made: Estimated, arms: list[ArmWorth]) -> str:
    """What further labels are worth to the lead."""
    further = made.estimation.further_labels(arms[0].name, arms[1].name)
    if further == 0:
        return "The lead is shown: no label more is needed for it."
    if further is None:
        return (
            f"Labels for all {made.estimation.n_all:,} items may not show which of the two is better; let cost and "
            "speed decide"
        )
    return (
        f"About {formatting.plural(further, 'label')} more would show it with probability .80, if the lead is what it "
        f"seems: harness label {made.dataset} --split {made.split} --n {further}"
    )


def _row(arm: ArmWorth) -> tuple[str, ...]:
    accuracy, alone = arm.accuracy.estimate, arm.accuracy.gold_alone
    macro = None if arm.macro_f1 is None or arm.macro_f1.estimate.low is None else arm.macro_f1.estimate
    return (
        arm.name,
        formatting.share(accuracy.value),
        formatting.interval(accuracy),
        formatting.span(alone),
        formatting.count(arm.accuracy.labels_saved),
        "-" if macro is None else formatting.share(macro.value),
    )


def _json(made: Estimated, arm: ArmWorth) -> dict[str, JSON]:
    others = [one for one in made.estimation.answered.names if one != arm.name]
    return {
        "name": arm.name,
        "dataset": made.dataset,
        "split": made.split,
        "n_all": made.estimation.n_all,
        **_powered("accuracy", arm.accuracy),
        "macro_f1": None if arm.macro_f1 is None else _powered("estimate", arm.macro_f1),
        "recall": {label: _powered("estimate", one) for label, one in arm.recall.items()},
        "further_labels": {other: made.estimation.further_labels(arm.name, other) for other in others},
        "differences": {other: _powered("estimate", made.estimation.difference(arm.name, other)) for other in others},
        "left_out": made.unweighted,
        "cannot_tell": made.untold,
        "disagreed": made.disputed,
        "passed_over": [asdict(one) for one in made.passed_over],
    }


def _powered(name: str, one: Powered) -> dict[str, JSON]:
    return {
        name: asdict(one.estimate),
        "gold_alone": asdict(one.gold_alone),
        "labels_saved": one.labels_saved,
        "trust": one.trust,
    }
