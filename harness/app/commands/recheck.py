"""Has the served model changed? A sample of a stored run is asked again, twice; exit code 1 when it has.

What differs from the stored answers is held against what differs from one new answer to the other, so a model that
answers at random is not called changed.

Example: harness recheck prompt:v3 --items 300 --budget 0.50
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import click

from harness import datasets
from harness.app.commands import _asking, _labelling, _options, _stopping
from harness.app.project.standing import Opening
from harness.arms import _together
from harness.errors import AlarmRaised, ConfigError, Interrupted
from harness.ground import formatting
from harness.ground.ids import unit_interval
from harness.stats import recheck
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.app.project import Project
    from harness.models.stack import Asking
    from harness.stats.recheck import Change
    from harness.store import StoredRun
    from harness.types import Item, Prediction

WANTED_TO = "ship"

NEW_DRAWS = (100_001, 100_002)
"""The numbers of the two draws: no repeat of a run has them, so the stored answers stay what they are."""
OPTIONS = (
    click.argument("arm", metavar="ARM"),
    _options.option("--items", type=click.IntRange(20, 100_000), default=300, help="How many are asked again."),
    _options.option("--alpha", type=click.FloatRange(0.0001, 0.5), default=0.01, help="Rate of false alarms."),
    _asking.stored_model,
    *_asking.OPTIONS,
)


@dataclass(frozen=True, slots=True)
class Options(_asking.Asked, _options.Where):
    """What the command line chose."""

    arm: str
    items: int
    alpha: float
    dataset: str | None
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.arm_split, _options.seed, *_options.WHERE)
def command(options: Options) -> None:
    """Ask again."""
    project = options.project()
    asking = options.asking(
        project.workspace.preferences, model=options.model or "auto", fresh=True, spent_on="recheck"
    )
    selected = _labelling.selected(project, options.arm, options.dataset, options.split, asking, options.model)
    run = selected.first
    if not run.arm.startswith("prompt:"):
        raise ConfigError(f"{run.arm} asks no model, so nothing can have changed; expected a prompt's run")
    old, items = _sample(project, run, options)
    new, again = asyncio.run(_asked(project, run, asking, items))
    both = [item for item in items if not {new[item.id].outcome, again[item.id].outcome} & {Outcome.FAILED}]
    failed = len(items) - len(both)
    if len(both) < len(items) / 2:
        raise Interrupted(f"{failed:,} of {len(items):,} items failed; the same command asks again")
    found = recheck.change(*([answers[item.id].label for item in both] for answers in (old, new, again)))
    is_changed = found.p_value <= options.alpha
    if options.as_json:
        _options.print_json(
            asdict(found) | {"arm": selected.name, "failed": failed, "changed": is_changed, "alpha": options.alpha}
        )
    else:
        click.echo(_said(selected.name, found, failed, is_changed=is_changed))
    if is_changed:
        raise AlarmRaised(f"{selected.name}: {run.model} answers otherwise than when it was stored")


def _sample(project: Project, run: StoredRun, options: Options) -> tuple[Mapping[str, Prediction], list[Item]]:
    """What the run has stored, and the items of it that are asked again."""
    stored = {i: one for i, one in project.store.stored(run.run_id).items() if one.outcome is not Outcome.FAILED}
    examples = datasets.load(project.workspace.root, run.dataset).in_split(run.split)
    there = [example.item for example in examples if example.item.id in stored]
    drawn = sorted(there, key=lambda item: unit_interval("recheck", str(options.seed), item.id))
    return stored, drawn[: options.items]


async def _asked(
    project: Project, run: StoredRun, asking: Asking, items: Sequence[Item]
) -> list[dict[str, Prediction]]:
    """The two new answers to every item."""
    answers: list[dict[str, Prediction]] = []
    with ExitStack() as opened, _stopping.orderly(asyncio.Event()):
        ledger = opened.enter_context(project.ledger())
        for draw in NEW_DRAWS:
            ready = Opening(project, asking, ledger).ready(replace(run, repeat=draw))
            try:
                answers.append(await _together.ask(ready.arm, items))
            finally:
                await ready.close()
    return answers


def _said(name: str, found: Change, failed: int, *, is_changed: bool) -> str:
    asked = formatting.plural(found.n, "item")
    left_out = f" ({failed:,} more failed and are left out)" if failed else ""
    return (
        f"{name}: of {asked} asked again{left_out}, {found.moved:,} differ from the stored answer and "
        f"{found.unsteady:,} from one new answer to the other; "
        f"{'changed' if is_changed else 'not shown to have changed'} (p {formatting.p_value(found.p_value)})"
    )
