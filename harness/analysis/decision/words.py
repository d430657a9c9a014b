"""The reasons of a verdict, in words: nothing is said that is not shown."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.analysis.comparison import Comparison
    from harness.analysis.decision.assurance import Assurance
    from harness.analysis.decision.candidates import Candidate
    from harness.analysis.results import Split
    from harness.analysis.wording import Wording
    from harness.ground.constraints import Constraints

NOTABLE = 1.2  # times: smaller differences of a price are not worth a sentence
MOST_NAMED = 4
ELSEWHERE = ("import:", "python:")


@dataclass(frozen=True, slots=True)
class View:
    """What the rule chose, beside what a reader should know of the others.

    `best` has the best number of what is chosen by, which `said` words; `others` are the arms that may be served too.
    `better` holds the comparisons with arms that might be better by more than the margin, `cheaper` those of the best
    with cheaper arms that might be good enough, `against` those with all others. `near` are the others that are not
    shown to lie behind by more than the margin. `bounds` is what the chosen arm comes to with its failed items at
    their worst, and at their best; `instead` names the arm that would have been chosen at the split's own mix of
    labels, where it is another. `n_all` is how many items an estimate
    from few labels is of.
    """

    chosen: Candidate
    best: Candidate
    better: Sequence[Comparison]
    cheaper: Sequence[Comparison]
    against: Sequence[Comparison]
    others: Sequence[Candidate]
    near: Sequence[Candidate]
    bounds: tuple[float, float]
    said: Wording
    instead: str = ""
    n_all: int | None = None


def reasons(view: View, constraints: Constraints, outlook: Assurance | None, *, is_turned: bool) -> list[str]:
    """Why the arm is recommended, what is certain, and what is open."""
    return [
        *_found(view),
        *_mixed(view, constraints),
        *_place(view, constraints),
        *_pennies(view, constraints),
        *_certain(view),
        *_fits(view),
        *_open(view, formatting.share(constraints.margin, 2)),
        *_failed(view, is_turned=is_turned),
        *_outlook(view, outlook),
    ]


def _found(view: View) -> Iterator[str]:
    chosen = view.chosen
    items = f"{view.n_all or chosen.headline.n:,} items"
    yield (
        f"{chosen.arm} {view.said.among(formatting.with_interval(chosen.headline), items)}, "
        f"costs {formatting.dollars(chosen.usd_per_1000)} per 1,000 and answers within "
        f"{formatting.duration(chosen.p95_s)} (p95)"
    )
    if chosen.failed:
        low, high = map(formatting.share, view.bounds)
        yield (
            f"{formatting.plural(chosen.failed, 'item')} of {chosen.arm} failed and {_is(chosen.failed)} not in that: "
            + (
                f"it is right on {low} if it is wrong there, on {high} if it is right"
                if view.said.counts_right
                else f"its {view.said.noun} is {low} with the worst answers there, {high} with the best"
            )
        )


def _mixed(view: View, constraints: Constraints) -> Iterator[str]:
    """That items are weighed, and whether that turns the choice."""
    if not constraints.label_mix:
        return
    turned = f"; at the split's own mix it would be {view.instead}" if view.instead else ""
    yield f"Accuracies are weighed to {wording.mix(constraints.label_mix)}{turned}"


def _place(view: View, constraints: Constraints) -> Iterator[str]:
    """Where the arm stands beside the others; a superlative only where it is shown."""
    chosen, margin = view.chosen, formatting.share(constraints.margin, 2)
    if not view.against:
        yield "It is the only arm that may be served"
        return
    if chosen is not view.best:
        is_close = not view.better
        yield (
            f"It is {'shown to be' if is_close else 'not shown to be'} no more than {margin} worse than "
            f"{view.best.arm}, which {view.said.was_best}"
            + (f", and costs {_instead(chosen, view.best)} a month" if _is_dearer(view.best, chosen) else "")
        )
        return
    nearest = max(view.against, key=lambda one: -(one.difference.value or 0.0))
    if all(one.is_shown and (one.difference.value or 0.0) > 0 for one in view.against):
        yield f"It is shown to be {view.said.superlative} of the arms that may be served"
    elif nearest.difference.value == 0:
        tied = [one.b for one in view.against if one.difference.value == 0]
        were = "was" if len(tied) == 1 else "were"
        yield (
            f"{_listed(tied)} {were} right as often; no arm was right more often"
            if view.said.counts_right
            else f"{_listed(tied)} {were} as good; no arm was better"
        )
    else:
        yield (
            f"It {view.said.was_best} of the arms that may be served, which does not show that it is "
            f"{view.said.superlative}: {formatting.with_interval(nearest.lead)} ahead of {nearest.b}"
        )


def _pennies(view: View, constraints: Constraints) -> Iterator[str]:
    """A price that is many times lower and yet decides nothing is explained."""
    mine = view.chosen.monthly_usd
    for one in view.near:
        theirs = one.monthly_usd
        if mine is None or theirs is None or not 0 < mine - theirs < constraints.usd_that_matters:
            continue
        if theirs > 0 and mine / theirs < NOTABLE:
            continue
        times = f"{mine / theirs:,.1f} times" if theirs > 0 else "wholly"
        yield (
            f"{one.arm} is {times} cheaper, and that saves {formatting.dollars(mine - theirs)} a month: less than "
            f"{formatting.dollars(constraints.usd_that_matters)}, which counts as nothing"
        )


def _certain(view: View) -> Iterator[str]:
    """The arms that are shown to be worse: a reader need not think of them again."""
    beaten = [one for one in view.against if one.is_shown and (one.difference.value or 0.0) > 0]
    shown = [f"{one.b} (by {formatting.interval(one.lead)})" for one in beaten]
    if shown:
        yield f"Shown to be {view.said.worse}: {', '.join(shown)}"


def _fits(view: View) -> Iterator[str]:
    """What another fit would have scored is in the interval of an arm that was fitted several times, else in none."""
    trained = [one for one in (view.chosen, *view.near) if one.n_train and not one.model]
    several = [f"{one.arm} ({one.fits})" for one in trained if one.fits > 1]
    if several:
        yield f"Said of the mean fit of {_listed(several)}, with the spread of its fits; of one training sample"
    fitted = [one.arm for one in trained if one.fits == 1]
    if fitted:
        yield (
            f"Said of this fit of {_listed(fitted)}: another seed or training sample may come out differently, and no "
            "interval here holds that"
        )


def _open(view: View, margin: str) -> Iterator[str]:
    for limit in view.chosen.limits:
        if limit.state == "unsure":
            yield f"Open: whether it keeps {limit.name} {limit.asked} (found {limit.found})"
    for one in view.better:
        yield f"Open: {one.b} might be better by more than {margin}: its lead is {_ahead(one)}"
    for one in view.cheaper:
        yield f"Open: {one.b} is cheaper and might be good enough: its lead over {one.a} is {_ahead(one)}"


def _failed(view: View, *, is_turned: bool) -> Iterator[str]:
    failed = [f"{one.arm} ({one.failed:,})" for one in (view.chosen, *view.others) if one.failed]
    if is_turned:
        yield (
            f"Open: what the failed calls would have answered could turn the verdict: {', '.join(failed)}. Ask them "
            "again; more labels do not help"
        )
    elif failed:
        yield (
            "Failed items are in no figure; for the verdict they count as wrong or right, whichever speaks against it: "
            + ", ".join(failed)
        )


def _outlook(view: View, outlook: Assurance | None) -> Iterator[str]:
    """That it is not labels that are missing; how many would probably decide it stands in the headline."""
    if outlook is None or outlook.labels is not None:
        return
    missing = [limit.name for limit in view.chosen.limits if limit.state == "unsure"]
    instead = f"; what is open is {_listed(missing)}" if missing else ""
    how_many = f"all {outlook.most:,} items that have none" if outlook.of_all else "up to 100,000 more"
    if not outlook.most:
        yield f"Every item has a label, so that no further one decides it{instead}"
        return
    yield (
        f"More labels would probably not decide it: with {how_many} the probability stays at "
        f"{formatting.share(outlook.probability, 2)} or below{instead}"
    )


def expected(outlook: Assurance) -> str:
    """The number of labels and the probability that they decide, arm by arm."""
    arms = sorted(outlook.arms.items(), key=lambda pair: -pair[1])[:MOST_NAMED]
    each = ", ".join(f"for {arm} {formatting.share(share, 2)}" for arm, share in arms)
    return (
        f"With {outlook.labels or 0:,} more labels the verdict would be decided with probability "
        f"{formatting.share(outlook.probability, 2)}" + (f" ({each})" if each else "")
    )


def broken(one: Candidate, noun: str) -> str:
    """Why an arm is out: the constraints it is shown to break."""
    limits = [limit for limit in one.limits if limit.state == "broken"]
    said = "; ".join(f"{limit.name} {limit.asked}, found {limit.found}" for limit in limits)
    return f"{one.arm} is out: {said or f'it has no {noun}'}"


def _ahead(one: Comparison) -> str:
    """How far b is ahead of a."""
    lead = one.lead
    if lead.value is None or lead.low is None or lead.high is None:
        return formatting.UNKNOWN
    return f"{formatting.share(-lead.value)} ({formatting.share(-lead.high)} to {formatting.share(-lead.low)})"


def _is_dearer(one: Candidate, other: Candidate) -> bool:
    return other.monthly_usd is not None and (one.monthly_usd is None or one.monthly_usd > other.monthly_usd)


def _instead(one: Candidate, other: Candidate) -> str:
    return f"{formatting.dollars(one.monthly_usd)} instead of {formatting.dollars(other.monthly_usd)}"


def _listed(names: Sequence[str]) -> str:
    """The names in a row, `and` before the last."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def headline(
    recommended: str | None, might_be_better: Sequence[str], outlook: Assurance | None, *, is_decided: bool
) -> str:
    """The verdict in one sentence."""
    if recommended is None:
        return "No arm keeps every constraint."
    if is_decided:
        return f"Serve {recommended}."
    more = f" {expected(outlook)}." if outlook is not None and outlook.labels is not None else ""
    others = [arm for arm in might_be_better if arm != recommended]
    return f"Cannot tell yet{_between(recommended, others)}; for now, {recommended}.{more}"


def _between(recommended: str, others: list[str]) -> str:
    """The arms it is between; nothing where only a constraint is open, or too many to name."""
    if not 0 < len(others) <= MOST_NAMED:
        return ""
    return f" between {', '.join([recommended, *others[:-1]])} and {others[-1]}"


def next_command(name: str | None, split: Split) -> str | None:
    """What to type once an arm is to be served; None for one that answered elsewhere, and where none is.

    The folder is called as the arm, as far as a path can be.
    """
    if name is None or name.startswith(ELSEWHERE):
        return None
    folder = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "arm"
    where = "" if split.name == "test" else f" --split {shlex.quote(split.name)}"
    return f"harness ship {shlex.quote(name)} --to shipped/{folder} --dataset {shlex.quote(split.dataset)}{where}"
