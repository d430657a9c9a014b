"""The search carried out: models connected, money reckoned, rounds run, and the version that comes of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.app.project.improving import asking as asking_
from harness.app.project.improving import examples, forecasting
from harness.app.project.improving import setting as setting_
from harness.app.project.improving.asking import Answerer, Place, Rewriter
from harness.app.project.improving.purse import LedgerPurse
from harness.arms.prompts import writing
from harness.arms.prompts.files import Making
from harness.arms.prompts.proposals import Reader
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import formatting
from harness.ground.waiting import stopping
from harness.models import stack
from harness.runs.building import Served
from harness.runs.improving import escalation
from harness.runs.improving.escalation import Means
from harness.runs.improving.search import KEPT, Search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from harness.app.project.improving.purse import Outlook
    from harness.app.project.improving.setting import Parts, Setting
    from harness.app.project.project import Project
    from harness.arms.prompts.files import Prompt
    from harness.models.ledger import Ledger
    from harness.models.stack import Asking, Stack
    from harness.runs.improving.search import Story, Terms

BY = "harness improve"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: its story, and the version that it would write, None where it is the parent still.

    `spent_usd` is what was billed for it, now or before.
    """

    story: Story
    prompt: Prompt | None
    parts: Parts
    spent_usd: float
    proposed_by: str


@dataclass(frozen=True, slots=True)
class Models:
    """The model that serves, and the one that proposes: the same one where no other was chosen."""

    served: Served
    proposing: Stack


async def searched(
    project: Project, ledger: Ledger, setting: Setting, stop: asyncio.Event, tell: Callable[[str], None]
) -> Found:
    """The search, from the beginning or from where it ended; `ConfigError` where the budget does not hold its end."""
    stopping.set(stop)
    parts = setting_.parts(setting.dataset, setting.parent, setting.seed, setting.test)
    async with connected(project, ledger, setting) as models:
        place = Place(setting, models.served, project.workspace, Task.of(setting.dataset), stop.is_set)
        outlook = forecasting.outlook(place, models.proposing, parts)
        purse = _purse(models, outlook)
        answerer = Answerer(place, purse, (*parts.train, *parts.dev))
        reader = Reader(setting.parent, setting.dataset, setting.most_tokens)
        rewriter = Rewriter(place, models.proposing, reader, purse, answerer)
        search = Search(parts.terms(setting), answerer, rewriter, purse, tell)
        try:
            story = await search.run(asking_.variant_of(setting.parent, setting, "parent"))
            ways = await asyncio.to_thread(examples.variants, setting, parts, answerer, story.best, story.learnt_from)
            has_gained = story.best is not story.parent
            await search.try_all(story, ways)
            if has_gained and setting.margin is None:
                await _escalated(search, story, parts.terms(setting), Means(answerer, rewriter, purse), tell)
        finally:
            await answerer.settle()
        name = str(models.proposing.model)
        prompt = version_of(setting, story, parts, (name, purse.spent_usd))
        return Found(story, prompt, parts, purse.spent_usd, name)


async def _escalated(search: Search, story: Story, terms: Terms, means: Means, tell: Callable[[str], None]) -> None:
    """GEPA on what rewriting has begun; said where it is not installed. What the best shows is none of its items."""
    if not escalation.is_there():
        tell(escalation.MISSING)
        return
    shown = set(asking_.prompt_of(story.best).header.examples.ids)
    train = tuple(item for item in terms.train if item not in shown)
    found = await escalation.evolved(means, replace(terms, train=train), story)
    await search.race_on_dev(story, found[:KEPT])


def version_of(setting: Setting, story: Story, parts: Parts, bill: tuple[str, float]) -> Prompt | None:
    """The version to write, with its parent and how it was made; None where nothing took the parent's place."""
    if story.best is story.parent:
        return None
    best, (model, spent_usd) = asking_.prompt_of(story.best), bill
    made = Making(
        by=BY,
        model=model,
        cost_usd=round(spent_usd, 6),
        variants=len(story.trials),
        seed=setting.seed,
        chosen_on=parts.chosen_on,
        learnt_from=tuple(sorted({*setting.parent.header.learnt_from, *story.learnt_from})),
    )
    return writing.child(setting.parent, setting.to, best.template.source, replace(best.header, made=made))


@asynccontextmanager
async def connected(project: Project, ledger: Ledger, setting: Setting) -> AsyncIterator[Models]:
    """Both models behind the ledger, on one account; closed in the end."""
    served = _served(project, ledger, setting, setting.asking)
    other = None if setting.proposing is None else _served(project, ledger, setting, setting.proposing)
    proposing = other or served
    try:
        if getattr(proposing.module, "DESCRIBES_OPTIONS", False):
            raise ConfigError(f"{proposing.model.model} chooses among options and writes no prompt; give --with MODEL")
        yield Models(served, proposing.model)
    finally:
        for one in (served, other):
            if one is not None:
                await one.model.close()


def _served(project: Project, ledger: Ledger, setting: Setting, asking: Asking) -> Served:
    connection, module = stack.connect(asking, project.workspace.extensions)
    tariff = stack.tariff(module, connection, project.workspace, asking, project.clock)
    made = stack.Stack(connection, ledger, project.clock, tariff, setting.account, asking)
    return Served(made, connection, module)


def _purse(models: Models, outlook: Outlook) -> LedgerPurse:
    """The money; `ConfigError` where it does not hold the first questions and the end."""
    one = models.served.model
    budget_usd = one.budget_usd if one.budget_usd is not None else models.proposing.budget_usd
    if budget_usd is None and outlook.worst_usd:
        raise ConfigError(
            f"what may it cost? give --budget USD; at worst all of it costs {formatting.dollars(outlook.worst_usd)}"
        )
    purse = LedgerPurse(one, budget_usd, outlook)
    if not purse.holds(outlook.first_asks, 1):
        likely = formatting.dollars(purse.likely_usd(outlook.first_asks, 1))
        raise ConfigError(
            f"--budget {budget_usd:g} does not hold the first questions, one proposal and the look at the end: about "
            f"{likely}; nothing was sent"
        )
    return purse
