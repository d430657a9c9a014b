"""Sweep every threshold of a cascade over stored predictions: chosen on dev, reported on test; no new call.

Or of a router, which chooses the arm from the item's text before it asks any; or a vote.

Example: harness cascade minilm-lr prompt:v3 --min-accuracy 0.85
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, TypeVar, get_args

import click
import numpy as np

from harness.analysis.fusion.chosen import How
from harness.analysis.fusion.sentences import sentences
from harness.app.commands import _evaluation, _options
from harness.app.commands._groups import print_table
from harness.app.project import trying
from harness.app.project.fusions import Splits
from harness.app.project.trying import FusionSpec
from harness.errors import ConfigError
from harness.ground import formatting

if TYPE_CHECKING:
    from harness.analysis.fusion.chosen import Choice
    from harness.analysis.fusion.study import Study
    from harness.app.project.trying import Tried
    from harness.ground.constraints import Constraints
    from harness.types import Dataset

WANTED_TO = "compare"

T = TypeVar("T")
SHARE, AMOUNT = click.FloatRange(0, 1), click.FloatRange(min=0)
SHOWN = 8
HOW = get_args(How)
OPTIONS = (
    click.argument("arms", nargs=-1, metavar="CHEAP DEAR [MORE]..."),
    _options.option("--how", type=click.Choice(HOW), default="cascade", help="Stages, a router, or a vote of all."),
    _options.option("--choose-on", default="dev", metavar="SPLIT", help="Split that chooses the thresholds."),
    _options.option("--min-credit", type=SHARE, default=None, help="Take the cheapest with that mean credit."),
    _options.option("--min-accuracy", type=SHARE, default=None, help="The same, of answers that are right or wrong."),
    *_options.METRIC_LIMITS,
    _options.option("--max-cost", type=AMOUNT, default=None, metavar="USD", help="Most dollars per 1,000 items."),
    _options.option("--max-p95", type=AMOUNT, default=None, metavar="SECONDS", help="Slowest 95th percentile."),
    _options.option("--margin", type=SHARE, default=None, help="How much to give up for a lower cost."),
    _options.model,
    _options.option("--store", is_flag=True, help="Keep the chosen cascade as a run of its own."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose; None leaves the workspace's setting."""

    arms: tuple[str, ...]
    how: How
    choose_on: str
    min_credit: float | None
    min_accuracy: float | None
    at_least: tuple[str, ...]
    at_most: tuple[str, ...]
    max_cost: float | None
    max_p95: float | None
    margin: float | None
    model: str | None
    store: bool
    dataset: str | None
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, _options.seed, *_options.WHERE)
def command(options: Options) -> None:
    """Try a cascade on stored predictions."""
    if len(options.arms) < 2:
        raise ConfigError(f"a cascade takes two arms or more, cheapest first; found {len(options.arms)}")
    project = options.project()
    dataset = project.dataset(options.dataset)
    splits = Splits(options.choose_on, options.split)
    limits = _limits(options, project.workspace.preferences.decide)
    spec = FusionSpec(options.how, options.arms, splits, options.model)
    tried = trying.tried(project, dataset, spec, limits)
    run_id = None
    if options.store:
        run_id = _evaluation.carry_out(project, dataset, [trying.job(project, dataset, tried)])[0].run_id
    found = tried.study
    if options.as_json:
        _options.print_json(
            _json(tried)
            | {"dataset": dataset.ref, "choose_on": options.choose_on, "split": options.split, "run_id": run_id}
        )
        return
    _show(tried, dataset)
    if run_id is not None:
        click.echo(f"Stored as {run_id}: it stands in the scorecard, decide, compare and report as {found.arm}")


def _limits(options: Options, settings: Constraints) -> Constraints:
    def given(value: float | None, setting: T) -> float | T:
        return setting if value is None else value

    return replace(
        settings,
        min_credit=given(options.min_credit, settings.min_credit),
        min_accuracy=given(options.min_accuracy, settings.min_accuracy),
        at_least=dict(settings.at_least) | _options.limits(options.at_least, "--at-least"),
        at_most=dict(settings.at_most) | _options.limits(options.at_most, "--at-most"),
        max_usd_per_1000=given(options.max_cost, settings.max_usd_per_1000),
        max_p95_s=given(options.max_p95, settings.max_p95_s),
        margin=given(options.margin, settings.margin),
    )


def _json(tried: Tried) -> dict[str, object]:
    """The contract's five keys, and what stands behind them."""
    found = tried.study
    tested, line, toll = found.tested, found.random_line, tried.choice.toll
    said: dict[str, object] = {
        "arm": found.arm,
        "thresholds": [asdict(setting) for setting in found.settings],
        "chosen": None if found.chosen is None else asdict(found.chosen),
        "reason": found.reason,
        "test": None if tested is None else asdict(tested),
        "oracle": asdict(found.oracle),
        "random_line": None if line is None else asdict(line),
        "is_crossfitted": found.is_crossfitted,
        "is_thinned": found.is_thinned,
        "unshared": found.unshared,
        "toll": None if toll is None else asdict(toll),
    }
    return said if found.words.counts_right else {name: _of_degrees(value) for name, value in said.items()}


def _of_degrees(value: object) -> object:
    """The same of answers that have degrees: what is called accuracy of others is their `headline`."""
    if isinstance(value, dict):
        found = {name: _of_degrees(part) for name, part in value.items()}
        return {**found, "headline": found["accuracy"], "accuracy": None} if "accuracy" in found else found
    return [_of_degrees(part) for part in value] if isinstance(value, list | tuple) else value


def _show(tried: Tried, dataset: Dataset) -> None:
    found, splits = tried.study, tried.splits
    how = (
        f"each tenth of {splits.tested} answered with what the other nine chose"
        if found.is_crossfitted
        else f"chosen on {splits.chooser} ({formatting.plural(tried.chooser_n, 'item')}), reported on {splits.tested} "
        f"({formatting.plural(tried.tested_n, 'item')})"
    )
    settings = f"{formatting.plural(len(found.settings), 'setting')}, " if found.settings else ""
    click.echo(f"{found.arm} on {dataset.ref}: {settings}{how}; no call was made\n")
    if found.settings:
        _show_settings(found, [pair.name for pair in tried.pairs], splits.chooser)
    if found.tested is None:
        click.echo(click.style(f"Nothing was chosen: {found.reason}.", bold=True))
        return
    _show_tested(found, splits.tested)
    for line in [*sentences(found), *_of_router(tried.choice)]:
        click.echo(line)


def _of_router(choice: Choice) -> list[str]:
    """What a router adds to every item, and what it has learnt from."""
    if choice.toll is None:
        return []
    wait, price = formatting.duration(choice.toll.latency_s), formatting.dollars(1000 * choice.toll.cost_usd)
    return [
        f"routing adds {wait} and {price} per 1,000; it was learnt from what the arms got right on {choice.chosen_on}"
    ]


def _show_settings(found: Study, names: list[str], chooser: str) -> None:
    rows = [found.settings[int(i)] for i in np.unique(np.linspace(0, len(found.settings) - 1, SHOWN).round())]
    if found.chosen is not None and found.chosen not in rows:
        rows = sorted([*rows, found.chosen], key=found.settings.index)
    columns = (
        "",
        *(f"{name} {'gets' if found.arm.startswith('router:') else 'keeps'}" for name in names[:-1]),
        f"asks {names[-1]}",
        f"{found.words.noun} on {chooser}",
        "$ per 1,000",
    )
    print_table(
        columns,
        [
            (
                "chosen" if row == found.chosen else "",
                *(_threshold(threshold) for threshold in row.thresholds),
                formatting.share(row.asked[-1]),
                formatting.share(row.accuracy),
                formatting.dollars(row.cost_per_1000_usd),
            )
            for row in rows
        ],
        numeric=columns,  # none of them may break
    )
    click.echo(f"{len(rows)} of {len(found.settings):,} settings; --json has them all" + _thinned(found))


def _thinned(found: Study) -> str:
    return ", thinned: there are too many to keep" if found.is_thinned else ""


def _threshold(threshold: float | None) -> str:
    return "nothing" if threshold is None else f"from {formatting.share(threshold)}"


def _show_tested(found: Study, split: str) -> None:
    tested = found.tested
    assert tested is not None
    shares = map(formatting.share, tested.answered_by or [None] * len(tested.members))
    rows = [
        (
            one.arm,
            formatting.share(one.accuracy.value),
            formatting.span(one.accuracy),
            formatting.dollars(one.cost_per_1000_usd),
        )
        for one in tested.members
    ]
    mine = (formatting.share(tested.estimate.value), formatting.span(tested.estimate), formatting.dollars(tested.cost))
    print_table(
        (f"on {split}", found.words.noun, "95%", "$ per 1,000", "answers"),
        [
            (found.arm, *mine, ""),
            *((*row, "" if tested.answered_by is None else share) for row, share in zip(rows, shares, strict=True)),
        ],
        numeric=(found.words.noun, "95%", "$ per 1,000", "answers"),
    )
