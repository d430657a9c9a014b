"""Which arm should serve the task: from results and constraints to a verdict with its reasons. Pure.

The rule. Of the arms that are not shown to break a constraint, the one to serve is the cheapest that is shown
to be no more than a margin worse than the best of them, whichever that is; bills that differ by less than what
matters count as equal, and then accuracy decides. The verdict is "decided" when that arm surely keeps the
constraints, is shown to be that close, and no cheaper arm might be good enough too, all of it whatever the
answers to failed calls would have been. Otherwise it is "undecided", with what would decide it.

"Shown" means: with a chance of at most 2.5% of saying so of any arm of which it is false, however many arms
were scored and whichever is picked (`stats.best`); arms are compared item by item, or group by group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.analysis import wording
from harness.analysis.decision import candidates, changes, doubts, ownership, words
from harness.analysis.decision.assurance import Assurance, Question, assurance
from harness.analysis.decision.choosing import Terms
from harness.analysis.decision.limits import worst
from harness.analysis.decision.noise import LabelNoise, label_noise
from harness.analysis.decision.rivals import compared
from harness.analysis.decision.words import View
from harness.stats import shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.decision.candidates import Candidate, Field
    from harness.analysis.measures import Measure
    from harness.analysis.panel import Panel
    from harness.analysis.results import Results
    from harness.ground.constraints import Constraints


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict: which arm, how sure, why, and what would change it.

    `objective` is the metric that the arm was chosen by. `open` names the arms that might still be the better choice.
    Where it is undecided, `assurance` says how many more labelled items would decide it with which probability;
    `more_items` is their number, None where no number does. `label_noise` says what gold labels that an audit
    suspects could do, where there are any.

    """

    recommendation: str | None
    verdict: Literal["decided", "undecided"]
    objective: str
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    what_would_change_it: tuple[str, ...]
    more_items: int | None = None
    open: tuple[str, ...] = ()
    assurance: Assurance | None = None
    label_noise: LabelNoise | None = None

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        return words.headline(self.recommendation, self.open, self.assurance, is_decided=self.verdict == "decided")


def decide(results: Results, constraints: Constraints) -> Decision:
    """The verdict over the arms of one split; the repeats and fits of one arm are one candidate."""
    results = results.by_arm
    field = candidates.field(results, constraints)
    everyone = field.candidates
    left = [k for k, one in enumerate(everyone) if one.state != "broken" and one.merit is not None]
    measure, said = field.measure, wording.of(field.measure)
    if not left:
        return Decision(
            None, "decided", measure.name, tuple(words.broken(one, said.noun) for one in everyone), everyone, ()
        )
    question = _question(field, constraints)
    view = _view(field, question, left)
    is_decided = not view.better and not view.cheaper and view.chosen.state == "kept"
    few = question.together.few
    outlook = None if is_decided else assurance(question, np.random.default_rng(0))
    is_turned = not is_decided and _is_decided_without_bounds(question)
    able = [one.run_id for one, may in zip(everyone, field.may_serve, strict=True) if may]
    noise = label_noise(results, question, able) if few is None else None
    view = replace(view, instead=_flip(results, constraints, view.chosen.arm))
    reasons = [
        *([] if few is None else [few.sentence]),
        *words.reasons(view, constraints, outlook, is_turned=is_turned),
        *doubts.wrong_labels(noise, view.chosen.arm, results, is_decided=is_decided),
        *doubts.many_looks(results, constraints.looks, _worth(field, view.chosen.run_id)),
    ]
    out = (words.broken(one, said.noun) for k, one in enumerate(everyone) if k not in left)
    case = changes.Case(
        view.chosen,
        everyone,
        view.near,
        constraints,
        ownership.machine_usd(results.cpu_usd_per_hour),
        said,
        margin=_enough_margin(question, measure.span) if view.better else None,
        curves=results.curves.drawn if results.curves is not None and measure.is_headline else (),
    )
    return Decision(
        view.chosen.arm,
        "decided" if is_decided else "undecided",
        measure.name,
        (*reasons, *out),
        everyone,
        tuple(changes.changes(case)),
        None if outlook is None else outlook.labels,
        tuple(dict.fromkeys(one.b for one in (*view.better, *view.cheaper))),
        outlook,
        noise,
    )


def _question(field: Field, constraints: Constraints) -> Question:
    """What the rule is asked: the arms that price and time let serve."""
    able = [one for one, may in zip(field.candidates, field.may_serve, strict=True) if may]
    bills = np.array([np.inf if one.monthly_usd is None else one.monthly_usd for one in able])
    named = {floor.name for floor in field.floors}
    fixed = [worst([limit for limit in one.limits if limit.name not in named]) == "kept" for one in able]
    return Question(
        field.together.of_arms(field.may_serve),
        tuple(floor.of_arms(field.may_serve) for floor in field.floors),
        Terms(bills, constraints.usd_that_matters),
        constraints.margin / field.measure.span,
        np.array(fixed, dtype=np.bool_),
    )


def _view(field: Field, question: Question, left: Sequence[int]) -> View:
    """What the rule chose, with the comparisons that a reader needs to follow it."""
    served, everyone = np.flatnonzero(field.may_serve), field.candidates
    picked, _ = question.choice()
    arm, leading = int(served[picked.arm]), int(served[picked.best])
    better, cheaper = (list(map(int, served[flags])) for flags in (picked.better, picked.cheaper))
    others = [k for k in left if k != arm]
    span = field.measure.span
    against = dict(zip(others, compared(field.together, arm, others, span), strict=True))
    behind = {int(served[k]) for k in np.flatnonzero(picked.behind)}
    return View(
        everyone[arm],
        everyone[leading],
        better=tuple(against[k] for k in better),
        cheaper=tuple(compared(field.together, leading, cheaper, span)) if cheaper else (),
        against=tuple(against.values()),
        others=tuple(everyone[k] for k in others),
        near=tuple(everyone[k] for k in others if k not in behind),
        bounds=_bounds(field.measure, field.together, arm),
        said=wording.of(field.measure),
        n_all=None if field.together.few is None else field.together.few.n_all,
    )


def _bounds(measure: Measure, together: Panel, arm: int) -> tuple[float, float]:
    """What the arm comes to were all failed items at their worst, and at their best (Manski 1990)."""
    if together.few is not None:
        means = together.few.means
        return measure.in_unit(float(means.wrong.mean[arm])), measure.in_unit(float(means.right.mean[arm]))
    scores, lost = together.scores[:, [arm]], together.lost[:, [arm]]
    worst_case, best_case = (
        float(shares.shares(np.where(lost, filled, scores), strata=together.strata).mean[0]) for filled in (0.0, 1.0)
    )
    return measure.in_unit(worst_case), measure.in_unit(best_case)


def _worth(field: Field, run_id: str) -> float:
    """How many independent items an arm's accuracy is worth."""
    arm = next(k for k, one in enumerate(field.candidates) if one.run_id == run_id)
    return float(field.together.shares().worth[arm])


def _flip(results: Results, constraints: Constraints, arm: str) -> str:
    """What the split's own mix of labels would have said, where it is another arm."""
    if not constraints.label_mix:
        return ""
    field = candidates.field(results, replace(constraints, label_mix={}))
    able = [one.arm for one, may in zip(field.candidates, field.may_serve, strict=True) if may]
    plain = able[int(_question(field, constraints).choice()[0].arm)]
    return plain if plain != arm else ""


def _is_decided_without_bounds(question: Question) -> bool:
    """Whether it is only the failed calls that keep the verdict open."""
    few = question.together.few
    if few is not None:
        together = replace(question.together, few=few.without_bounds)
        return bool(few.failed.any()) and bool(replace(question, together=together).decided()[1])
    if not question.together.lost.any():
        return False
    asked = question.together.asked & ~question.together.lost
    return bool(replace(question, together=replace(question.together, asked=asked)).decided()[1])


def _enough_margin(question: Question, span: float) -> float | None:
    """The smallest margin, in thousandths of `span`, with which the arm would be shown to be close; None for none."""
    arm = int(question.choice()[0].arm)

    def suffices(margin: float) -> bool:
        chosen, _ = replace(question, margin=margin).choice()
        return int(chosen.arm) != arm or not chosen.better.any()

    low, high = round(1000 * question.margin), 999
    if not suffices(high / 1000):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle / 1000) else (middle, high)
    return span * high / 1000
