"""A better version of a prompt within a budget, or the honest answer that none was found.

A model proposes rewritings from the prompt's errors on train; they race there and on dev. The test split is looked at
once, in the end: what is said of the version stands on items that nothing was chosen by.

Example: harness improve v1 --budget 2 --with anthropic/claude-sonnet-4-5
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from harness.analysis.improvement import rivals
from harness.app.commands import _asking, _completion, _evaluation, _improving, _options, _stopping
from harness.app.project import complain_about_failures
from harness.app.project.improving import ending, forecasting, searching
from harness.app.project.improving import setting as setting_
from harness.app.project.improving.asking import Place
from harness.app.project.improving.setting import Setting
from harness.arms.prompts import files
from harness.datasets.task import Task
from harness.errors import ConfigError, Interrupted
from harness.ground.workspace import checked_name
from harness.models.pricing import NANO

if TYPE_CHECKING:
    from harness.app.project import Project
    from harness.app.project.improving.purse import Outlook
    from harness.app.project.improving.searching import Found
    from harness.models.ledger import Ledger

WANTED_TO = "ask"

OPTIONS = (
    _options.argument("prompt", _completion.PROMPTS, metavar="PROMPT"),
    _options.option("--task", default=None, help="Folder under prompts/; default: the dataset's name."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Who is served; default: the workspace's."),
    *_asking.OPTIONS,
    _options.option("--with", "with_", default=None, metavar="PROVIDER/MODEL", help="Who proposes; default: --model."),
    _options.option("--with-base-url", default=None, metavar="URL", help="An OpenAI-compatible server for --with."),
    _options.option("--to", default=None, metavar="VERSION", help="Version to write; default: the next number."),
    _options.option("--shorter", is_flag=True, help="Look for a shorter prompt that is as good."),
    _options.option(
        "--margin",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.02,
        help="With --shorter: most accuracy that it may lose.",
    ),
    _options.option(
        "--tokens",
        type=click.IntRange(min=50),
        default=None,
        help="Most that a prompt for an item may have; default: twice the old.",
    ),
    _options.option("--variants", type=click.IntRange(1, 500), default=20, help="Most proposals that are paid for."),
    _options.option("--minibatch", type=click.IntRange(10, 1000), default=50, help="Training items of the first step."),
    _options.option("--no-examples", is_flag=True, help="Do not try to show examples."),
    _options.option("--keep-best", is_flag=True, help="Write the best version though no gain is shown."),
    _options.option("--dry-run", is_flag=True, help="Print calls and worst-case dollars; send nothing."),
)


@dataclass(frozen=True, slots=True)
class Options(_asking.Asked, _options.Where):
    """What the command line chose."""

    prompt: str
    task: str | None
    with_: str | None
    with_base_url: str | None
    to: str | None
    shorter: bool
    margin: float
    tokens: int | None
    variants: int
    minibatch: int
    no_examples: bool
    keep_best: bool
    dry_run: bool
    dataset: str | None
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, _options.seed, *_options.WHERE)
def command(options: Options) -> None:
    """Improve a prompt."""
    project = options.project()
    setting = _setting(options, project)
    with project.ledger() as ledger:
        if options.dry_run:
            _improving.show_outlook(asyncio.run(_outlook(project, ledger, setting)), setting, as_json=options.as_json)
            return
        found = asyncio.run(_searched(project, ledger, setting))
        told = _improving.Told(setting, found)
        if found.prompt is not None:
            told = _looked(project, ledger, told, keep_best=options.keep_best)
        told = replace(told, billed_usd=ledger.spent(setting.account).billed / NANO)
    results = None if told.gain is None else project.results(setting.dataset, setting.test)
    beside = None if results is None else rivals(results)
    _improving.show(told, beside, project, as_json=options.as_json)


def _setting(options: Options, project: Project) -> Setting:
    dataset = project.dataset(options.dataset)
    root, task = project.workspace.root, options.task or project.workspace.preferences.task or dataset.name
    parent = files.load(root, task, options.prompt)
    asking = options.asking(project.workspace.preferences, sends_nothing=options.dry_run)
    proposing = None
    if options.with_ is not None:
        proposing = replace(asking, model=options.with_, base_url=options.with_base_url, priced_as=None)
    elif options.with_base_url is not None:
        raise ConfigError("--with-base-url is where --with MODEL is served; give both")
    return Setting(
        dataset,
        parent,
        _version(options.to, files.versions(root, task)),
        asking,
        proposing,
        options.variants,
        options.minibatch,
        setting_.most_tokens(parent, dataset, options.tokens),
        options.margin if options.shorter else None,
        options.seed,
        options.split,
        shows_examples=not options.no_examples,
    )


def _version(chosen: str | None, there: list[str]) -> str:
    """The version to write: one that is not there yet."""
    if chosen is None:
        numbers = [int(name[1:]) for name in there if re.fullmatch(r"v[0-9]+", name)]
        return f"v{max(numbers, default=0) + 1}"
    if checked_name(chosen, "prompt version") in there:
        raise ConfigError(f"--to {chosen}: there is such a version, and none is overwritten; choose another")
    return chosen


async def _outlook(project: Project, ledger: Ledger, setting: Setting) -> Outlook:
    parts = setting_.parts(setting.dataset, setting.parent, setting.seed, setting.test)
    async with searching.connected(project, ledger, setting) as models:
        place = Place(setting, models.served, project.workspace, Task.of(setting.dataset), asyncio.Event().is_set)
        return forecasting.outlook(place, models.proposing, parts)


async def _searched(project: Project, ledger: Ledger, setting: Setting) -> Found:
    stop = asyncio.Event()
    try:
        with _stopping.orderly(stop):
            return await searching.searched(project, ledger, setting, stop, partial(click.echo, err=True))
    except asyncio.CancelledError:
        raise Interrupted(
            "stopped at once; what was answered is kept, and calls that were dropped may be on the bill; the same "
            "command goes on from there"
        ) from None


def _looked(project: Project, ledger: Ledger, told: _improving.Told, *, keep_best: bool) -> _improving.Told:
    """The one look at the test split, and the file where a gain is shown or the best is to be kept.

    Where a version says the same already, as after a search that was stopped at its very end, it is that one's run.
    """
    found, setting = told.found, told.setting
    prompt = found.prompt
    assert prompt is not None  # there would be nothing to look at
    already = ending.same(project, setting, prompt)
    if already is not None:
        setting, found = ending.of_version(project, setting, found, already)
    parent, version = ending.jobs(project, ledger, setting, found)
    version = ending.promoted(version) if already else version
    complain_about_failures(_evaluation.carry_out(project, setting.dataset, [parent, version]))
    gain = ending.gain(project, setting, found, (parent, version))
    told = replace(told, setting=setting, found=found, gain=gain, version=already)
    if already or not (gain.is_win or keep_best):
        return told
    path = ending.write(project, setting, prompt)
    _evaluation.carry_out(project, setting.dataset, [ending.promoted(version)])
    return replace(told, written=_options.shown(project, path))
