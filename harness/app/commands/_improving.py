"""What `harness improve` says: the outlook, the search, the one look at the test split, and what stands beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from harness.app.commands import _comparing, _options
from harness.app.project.improving import ending
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.improvement import Gain
    from harness.analysis.results import RunResult
    from harness.app.project import Project
    from harness.app.project.improving.purse import Outlook
    from harness.app.project.improving.searching import Found
    from harness.app.project.improving.setting import Setting
    from harness.types import JSON

ENDED = {
    "budget": "the budget ended the search",
    "variants": "as many proposals as --variants allows",
    "no gain": "five rounds without a gain ended the search",
    "all right": "every training item that was asked is right, so there is nothing to learn from",
}
MAKING = {"trained classifier": "harness baselines", "cascade": "harness cascade CHEAP DEAR --store"}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it: `gain` on the test split, the file that was `written`, or the `version` that says it already.

    `billed_usd` is the whole bill, now and before.
    """

    setting: Setting
    found: Found
    gain: Gain | None = None
    written: str | None = None
    version: str | None = None
    billed_usd: float = 0.0


def show_outlook(outlook: Outlook, setting: Setting, *, as_json: bool) -> None:
    """The worst case in calls and dollars; nothing was sent."""
    budget_usd = setting.asking.budget_usd
    if as_json:
        _options.print_json({"sent": 0, **asdict(outlook), "budget_usd": budget_usd})
        return
    calls = formatting.plural(outlook.most_asks, "question")
    worst, question, proposal = map(formatting.dollars, (outlook.worst_usd, outlook.ask_usd, outlook.proposal_usd))
    cost = f"at worst {worst}; a question costs about {question}, a proposal {proposal}"
    if outlook.worst_usd is None:
        cost = "what they cost is not known (--priced-as, or [prices] in the settings)"
    click.echo(
        f"At most {calls} and {formatting.plural(outlook.most_proposals, 'proposal')}, "
        f"{outlook.end_asks:,} of the questions in the end: {cost}"
    )
    if budget_usd is not None:
        click.echo(f"  never more than the budget of {formatting.dollars(budget_usd)}: the search ends before its end")
    click.echo("Nothing was sent.")


def show(told: Told, beside: Mapping[str, RunResult | None] | None, project: Project, *, as_json: bool) -> None:
    """Everything, in the order in which it matters."""
    if as_json:
        _options.print_json(_json(told, beside))
        return
    setting, found, gain = told.setting, told.found, told.gain
    if found.parts.note:
        click.echo(found.parts.note)
    click.echo(_search(told))
    if gain is None:
        click.echo(f"No variant did better than prompt:{setting.parent.version}; {setting.test} was not looked at.")
    else:
        _show_gain(told, gain, beside or {}, project)
    click.echo(_spent(told))
    if told.version is not None:
        click.echo(f"prompt:{told.version} says so already: nothing was written")
    if told.written is not None:
        click.echo(f"Wrote {told.written}, whose parent is {setting.parent.version}")
        click.echo(f"Next: {_options.here(f'harness prompt diff {setting.parent.version} {setting.to}')}")


def _search(told: Told) -> str:
    """How many were proposed and tried, and by what the search ended."""
    story, parts = told.found.story, told.found.parts
    flaws = Counter(trial.outcome.partition(":")[0] for trial in story.trials if trial.variant is None)
    untried = "; not tried: " + ", ".join(f"{n} {flaw}" for flaw, n in flaws.most_common()) if flaws else ""
    with_examples = f" and {story.with_examples:,} with examples" if story.with_examples else ""
    lines = [
        f"{formatting.plural(len(story.trials) - story.with_examples, 'variant')} of "
        f"prompt:{told.setting.parent.version} by {told.found.proposed_by}{with_examples}: "
        f"{story.on_train} tried on train, {story.on_dev} on {parts.chosen_on}{untried}; {ENDED[story.ended]}"
    ]
    if len(story.levels) > 1:
        first, last = story.levels[0], story.levels[-1]
        lines.append(
            f"On {parts.chosen_on}, where it was chosen and so flatters itself: {formatting.share(first.credit)} to "
            f"{formatting.share(last.credit)} ({last.n:,} items)"
        )
    return "\n".join(lines)


def _show_gain(told: Told, gain: Gain, beside: Mapping[str, RunResult | None], project: Project) -> None:
    setting = told.setting
    click.echo(f"On {setting.test}, looked at once: {_comparing.headline(gain.comparison)}.")
    click.echo(verdict(gain, setting))
    for what, run in beside.items():
        if run is None:
            click.echo(f"Beside it: no {what} is stored on {setting.test} ({MAKING[what]} makes one)")
        else:
            click.echo(f"Beside it: the best {what}, {run.run.name}, {formatting.with_interval(run.headline)}")
    looks = project.store.looks(setting.dataset.id, setting.test)
    click.echo(f"{setting.test} has been looked at {formatting.plural(looks, 'time')} in all.")


def verdict(gain: Gain, setting: Setting) -> str:
    """Whether what was sought is shown, and if not, what would show it."""
    version, parent = f"prompt:{setting.to}", f"prompt:{setting.parent.version}"
    tokens = "about {:,.0f} tokens for an item, {:,.0f} before".format(*gain.tokens)
    if gain.shown == "shorter":
        return (
            f"{version} is shorter and shown to lose less than {formatting.share(setting.margin)} to {parent}: {tokens}"
        )
    if gain.shown in ("better", "worse"):
        return f"{version} is {gain.shown} than {parent}: {tokens}"
    return f"{_not_shown(gain, version, parent)}: {_what_would(gain, setting)}"


def _not_shown(gain: Gain, version: str, parent: str) -> str:
    if gain.margin is None:
        return f"{version} is not shown to be better than {parent}"
    return f"{version} is not shown to lose less than {formatting.share(gain.margin)} to {parent}"


def _what_would(gain: Gain, setting: Setting) -> str:
    """What more labels or money would show."""
    needed, n = gain.needed_n, gain.comparison.n
    if needed is None:
        return f"it is no better on these {n:,} items; a larger --budget tries more variants, or another --with MODEL"
    what = "a difference like this one" if gain.margin is None else "that"
    if needed <= n:
        return f"80% of samples of so many items would show {what} if it is one, and this one does not"
    return (
        f"about {needed:,} labelled items in {setting.test} would show {what} with 80% power, if it is one, and there "
        f"are {n:,}; a larger --budget tries more variants"
    )


def _spent(told: Told) -> str:
    budget_usd = told.setting.asking.budget_usd
    of = "" if budget_usd is None else f" of the budget of {formatting.dollars(budget_usd)}"
    search = formatting.dollars(told.found.spent_usd)
    return f"Billed {formatting.dollars(told.billed_usd)}{of}, {search} of it for the search"


def _json(told: Told, beside: Mapping[str, RunResult | None] | None) -> dict[str, JSON]:
    gain, setting = told.gain, told.setting
    return {
        **ending.story_json(setting, told.found),
        "billed_usd": told.billed_usd,
        "note": told.found.parts.note or None,
        "shown": None if gain is None else gain.shown,
        "comparison": None if gain is None else _comparing.as_json(gain.comparison),
        "tokens": None if gain is None else list(gain.tokens),
        "needed_n": None if gain is None else gain.needed_n,
        "beside": {
            what: None if run is None else {"name": run.run.name, **asdict(run.headline)}
            for what, run in (beside or {}).items()
        },
        "already": told.version,
        "version": setting.to if told.written else None,
        "files": [told.written] if told.written else [],
    }
