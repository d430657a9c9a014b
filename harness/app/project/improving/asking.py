"""Who is asked in a search: the model that serves, and the one that proposes; every call on one account.

Both are behind the ledger, so a search that begins again goes the same way without a call. An outage ends it, for it
would go another way with the answer; so does somebody who asks it to stop. What is under way is awaited.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from harness.arms import _together
from harness.arms.prompts import proposals, rewriting
from harness.arms.prompts.rewriting import Attempted, Brief, Lesson
from harness.errors import Interrupted, MissingAnswers, RequestRejected
from harness.ground import formatting
from harness.ground.ids import request_id
from harness.runs import building
from harness.runs.improving.race import Scored, Variant
from harness.runs.improving.search import Proposed
from harness.types import Outcome, ReplyFormat, Request, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from harness.app.project.improving.purse import LedgerPurse
    from harness.app.project.improving.setting import Setting
    from harness.arms.prompt import PromptArm
    from harness.arms.prompts.files import Prompt
    from harness.arms.prompts.proposals import Reader
    from harness.datasets.task import Task
    from harness.ground.workspace import Workspace
    from harness.models.stack import Stack
    from harness.runs.building import Served
    from harness.runs.improving.search import Trial
    from harness.types import Example, Prediction, Response

T = TypeVar("T")
REWRITING = "rewriting"
MOST_PROPOSED = 4_096  # tokens of a reply
REJECTED = f"{RequestRejected.__name__}: "


@dataclass(frozen=True, slots=True)
class Place:
    """Where prompts are asked: the model, its workspace, what answers are worth; whether nothing more may be asked."""

    setting: Setting
    served: Served
    workspace: Workspace
    task: Task
    is_stopping: Callable[[], bool]


class Answerer:
    """Asks variants, each question once, and knows what the answers are worth."""

    def __init__(self, place: Place, purse: LedgerPurse, examples: Sequence[Example]) -> None:
        self._place, self._purse = place, purse
        self._examples = {one.item.id: one for one in examples}
        self._pool = tuple(place.setting.dataset.labelled("train"))
        self._arms: dict[str, PromptArm] = {}
        self._known: dict[tuple[str, str], Scored] = {}
        self._under_way: set[asyncio.Future[Any]] = set()
        self._is_ended = False

    async def __call__(self, variant: Variant, items: Sequence[str]) -> list[Scored]:
        """What the variant says of these items. Raises `Interrupted` on request, `MissingAnswers` after an outage."""
        wanted = [item for item in items if (variant.key, item) not in self._known]
        if wanted:
            if self._is_ended or self._place.is_stopping():
                raise Interrupted("stopped; everything answered is kept, and the same command goes on from there")
            await self.tracked(self._ask(variant, wanted))
        return [self._known[variant.key, item] for item in items]

    async def tracked(self, asked: Coroutine[object, object, T]) -> T:
        """What is asked; whoever gives up meanwhile, `settle` waits for it: it may be paid for."""
        task = asyncio.ensure_future(asked)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await task

    async def settle(self) -> None:
        """Wait for what is under way; nothing more is asked."""
        self._is_ended = True
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def example(self, item: str) -> Example:
        """An item that may be asked, with its gold answer."""
        return self._examples[item]

    def arm(self, variant: Variant) -> PromptArm:
        """The arm of a variant, with the examples that it shows."""
        if variant.key not in self._arms:
            arm = self._arms[variant.key] = arm_of(self._place, prompt_of(variant))
            if prompt_of(variant).header.examples.how != "none":
                arm.fit([one.item for one in self._pool], [one.label for one in self._pool])
        return self._arms[variant.key]

    async def _ask(self, variant: Variant, wanted: Sequence[str]) -> None:
        arm, items = self.arm(variant), [self._examples[item].item for item in wanted]
        await asyncio.to_thread(arm.choose_examples, items)
        predictions = await _together.ask(arm, items)
        failed = [one for one in predictions.values() if _is_outage(one)]
        keys = [request_id(request) for item in items for request in arm.requests(item)]
        self._purse.note_asks(keys, [one.cost_usd for one in predictions.values()])
        if failed:
            raise MissingAnswers(
                f"{formatting.plural(len(failed), 'question')} got no answer ({failed[0].error}); a search needs every "
                "one, and the same command goes on from there"
            )
        for item in wanted:
            said = predictions[item]
            credit = self._place.task.credit_of(self._examples[item].label, said)
            self._known[variant.key, item] = Scored(item, credit, said.raw or said.label or "")


class Rewriter:
    """Asks the model that proposes for one rewriting after another."""

    def __init__(self, place: Place, model: Stack, reader: Reader, purse: LedgerPurse, answerer: Answerer) -> None:
        self._place, self._model, self._reader = place, model, reader
        self._purse, self._answerer = purse, answerer

    async def __call__(
        self, number: int, holder: Variant, lessons: Sequence[Scored], trials: Sequence[Trial]
    ) -> Proposed:
        """A rewriting of the holder's template, or its flaw."""
        setting = self._place.setting
        shown = tuple(self._lesson(one) for one in lessons)
        tried = tuple(map(attempted, (trial for trial in trials if trial.variant)))
        brief = Brief(prompt_of(holder), shown, tried, setting.margin is not None)
        request = proposal_request(self._model, brief, setting, number)
        if self._place.is_stopping():
            raise Interrupted("stopped; everything answered is kept, and the same command goes on from there")
        try:
            reply = await self._answerer.tracked(self._send(request))
        except RequestRejected as error:
            return Proposed(None, f"rejected: {formatting.one_line(str(error), 100)}")
        finally:
            self._purse.note_proposal(request_id(request))
        known = [trial.variant.key for trial in trials if trial.variant]
        found = self._reader.read(reply, prompt_of(holder), known)
        if found.prompt is None:
            detail = f": {formatting.one_line(found.detail, 120)}" if found.detail else ""
            return Proposed(None, f"{found.flaw}{detail}")
        return Proposed(variant_of(found.prompt, setting, REWRITING))

    async def _send(self, request: Request) -> Response:
        return await self._model.provider.send(request)

    def _lesson(self, one: Scored) -> Lesson:
        example = self._answerer.example(one.item)
        return Lesson(example.item, example.label, one.reply, one.credit or 0.0)


def proposal_request(model: Stack, brief: Brief, setting: Setting, number: int) -> Request:
    """The question for a proposal; its number makes it another draw."""
    messages = rewriting.messages(brief, setting.dataset, setting.most_tokens)
    return Request(model.model, messages, Settings(max_tokens=MOST_PROPOSED), ReplyFormat(), number)


def variant_of(prompt: Prompt, setting: Setting, origin: str) -> Variant:
    """A prompt as it enters the race."""
    items = [one.item for one in setting.dataset.in_split("train")[: proposals.PROBED]]
    return Variant(prompt.id, 0, origin, proposals.tokens_of(prompt, setting.dataset, items), prompt)


def prompt_of(variant: Variant) -> Prompt:
    """The prompt of a variant of ours: only in simulations there is none."""
    assert variant.prompt is not None
    return variant.prompt


def arm_of(place: Place, prompt: Prompt) -> PromptArm:
    """The arm of a prompt at a place."""
    return building.arm_with(prompt, place.setting.dataset, place.served, place.workspace).arm


def attempted(trial: Trial) -> Attempted:
    """A trial as the model that proposes is told of it."""
    parts = [f"{where} {found[0]:+.3f} on {found[1]}" for where, found in _gains(trial)]
    source = prompt_of(trial.variant).template.source if trial.variant else ""
    base = prompt_of(trial.base).template.source if trial.base else ""
    return Attempted(source, base, f"{trial.outcome} ({', '.join(parts)})" if parts else trial.outcome)


def _gains(trial: Trial) -> list[tuple[str, tuple[float, int]]]:
    return [(where, found) for where, found in (("train", trial.train), ("dev", trial.dev)) if found is not None]


def _is_outage(prediction: Prediction) -> bool:
    """Whether nobody answered although somebody might: what is rejected stays so."""
    return prediction.outcome is Outcome.FAILED and not (prediction.error or "").startswith(REJECTED)
