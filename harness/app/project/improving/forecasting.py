"""What a search will ask and cost, before anything is asked: likely, and at worst. Sends nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.app.project.improving import asking
from harness.app.project.improving.purse import Outlook
from harness.arms.prompts import proposals, rewriting
from harness.arms.prompts.files import FewShot
from harness.arms.prompts.rewriting import Brief, Lesson
from harness.models import forecast
from harness.models.pricing import NANO
from harness.runs.improving import escalation
from harness.runs.improving.search import KEPT, WRONG_SHOWN
from harness.types import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.app.project.improving.asking import Place
    from harness.app.project.improving.setting import Parts
    from harness.arms.prompts.files import Prompt
    from harness.models.stack import Stack
    from harness.types import Request

MEASURED = 50  # items that a likely cost is taken from
SHOWN = 2 * WRONG_SHOWN  # items in a proposal's question
LONGEST_SHOWN = 3 * 4 * rewriting.LONGEST_TEXT  # bytes of one: its text, its answer, the reply
LONGEST_TRIED = rewriting.MOST_TRIED * 4 * rewriting.LONGEST_CHANGE  # bytes of what was tried


def outlook(place: Place, proposing: Stack, parts: Parts) -> Outlook:
    """The costs of a search with these models on these items."""
    setting, served = place.setting, place.served.model
    terms, tested = parts.terms(setting), setting.dataset.labelled(setting.test)
    items = [one.item for one in (*parts.train, *parts.dev, *tested)]
    arm = asking.arm_of(place, _without_examples(setting.parent))
    questions = [request for item in items[:MEASURED] for request in arm.requests(item)]
    draws = len(questions) // len(items[:MEASURED])
    proposal = asking.proposal_request(proposing, _brief(parts, setting.parent), setting, 0)
    longest = max(items, key=lambda item: len(item.words.encode()))
    growth = proposals.BYTES_PER_TOKEN * setting.most_tokens
    ask_worst = served.rates.worst_nano(_longer(arm.requests(longest)[0], growth))
    proposal_worst = proposing.rates.worst_nano(_longer(proposal, growth + SHOWN * LONGEST_SHOWN + LONGEST_TRIED))
    asks, end, most_proposals = terms.most_asks, 2 * len(tested), terms.variants
    if escalation.is_there() and setting.margin is None:
        asks += escalation.most_asks(terms) + terms.asks_on_dev(KEPT)
        most_proposals += terms.escalated
    return Outlook(
        ask_usd=_likely_usd(served, questions) / len(items[:MEASURED]),
        proposal_usd=_likely_usd(proposing, [proposal]),
        first_asks=terms.sizes[0] + terms.asks(1, is_new=True),
        end_asks=end,
        most_asks=draws * (asks + end),
        most_proposals=most_proposals,
        worst_usd=_all([ask_worst, proposal_worst], [draws * (asks + end), most_proposals]),
        spare_usd=max(ask_worst or 0, proposing.rates.worst_nano(_longer(proposal, growth)) or 0) / NANO,
    )


def _without_examples(prompt: Prompt) -> Prompt:
    """The prompt as it is asked with no example: what examples add is bounded by the tokens that a prompt may have."""
    return replace(prompt, header=replace(prompt.header, examples=FewShot()))


def _brief(parts: Parts, parent: Prompt) -> Brief:
    """What a proposal will be made from, as far as it is known."""
    return Brief(parent, tuple(Lesson(one.item, one.label, one.label, 0.0) for one in parts.train[:SHOWN]))


def _longer(request: Request, further: int) -> Request:
    """The same with so many bytes more."""
    return replace(request, messages=(*request.messages, Message("user", "x" * further)))


def _likely_usd(model: Stack, requests: Sequence[Request]) -> float:
    """What requests will probably cost in all; 0 without a price."""
    costs = [model.rates.list_nano(forecast.likely(request)) for request in requests]
    return sum(cost or 0 for cost in costs) / NANO


def _all(worst_nano: Sequence[int | None], times: Sequence[int]) -> float | None:
    known = [nano for nano in worst_nano if nano is not None]
    return None if len(known) < len(worst_nano) else sum(a * b for a, b in zip(known, times, strict=True)) / NANO
