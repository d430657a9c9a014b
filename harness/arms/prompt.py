"""An LLM prompt as an arm: item in, request out, reply parsed, price attached."""

from __future__ import annotations

import asyncio
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from harness.arms import choice
from harness.arms.fewshot import Fixed
from harness.arms.prompts.rendering import Phrasing
from harness.datasets import unread
from harness.errors import ProviderError, RateLimited, RequestRejected, TransientError
from harness.ground import plugins
from harness.models.pricing import NANO
from harness.types import Example, Outcome, Prediction, Request, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.arms.fewshot import Selector
    from harness.arms.prompts.files import Prompt
    from harness.models.stack import Stack
    from harness.types import Item, Label, Provider, ReplyFormat, Response


@dataclass(frozen=True, slots=True)
class Question:
    """What a prompt arm asks: everything that does not depend on the item.

    `gives_scores` is False for a model without log-probabilities: in mode `choice` it votes instead.
    `one_at_a_time` is True for a model that answers only one request at once, `describes` for one that is sent
    the labels' descriptions as data.
    """

    prompt: Prompt
    kind: str
    task: str
    labels: tuple[Label, ...]
    sample: int = 0
    gives_scores: bool = True
    one_at_a_time: bool = False
    describes: bool = False


class PromptArm:
    """One prompt and one model."""

    batch_size = 1

    def __init__(
        self,
        question: Question,
        model: Stack,
        select: Callable[[Sequence[Example]], Selector],
    ) -> None:
        self._question = question
        self._model = model
        self._select = select
        header = question.prompt.header
        self._selector = select(()) if header.examples.how == "none" else None
        self._kind = plugins.load("kinds", question.kind)
        self._names = tuple(label.name for label in question.labels)
        self._draws = _draws(question)
        template = question.prompt.template
        self._phrasings = [Phrasing(template, draw.labels, question.task, draw.alias_of) for draw in self._draws]
        options = self._draws[0].aliases or self._names
        fields = (header.fields,) if header.fields else ()
        self._reply: ReplyFormat = self._kind.reply_format(header.output, options, header.pattern, *fields)
        if question.describes and header.output != "choice":
            self._reply = replace(self._reply, descriptions=tuple(label.description for label in question.labels))
        self._path = (f"prompt:{question.prompt.version}",)

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Make the training items the pool that examples are chosen from, less those that it was written from."""
        shown, mode = getattr(self._kind, "shown", None), self._question.prompt.header.output
        written = labels if shown is None else [shown(label, mode) for label in labels]
        barred = self._question.prompt.header.learnt_from
        pairs = [(item, label) for item, label in zip(items, written, strict=True) if item.id not in barred]
        pool = [Example(item, label, split="train") for item, label in pairs]
        self._selector = self._select(pool)

    def answer_new_items(self) -> None:
        """Answer also items that an example repeats: new ones are not scored, so no answer is given away."""
        if isinstance(self._selector, Fixed):
            self._selector = self._selector.unwatched()

    async def prepare(self, items: Sequence[Item]) -> None:
        """Choose the examples for all items at once; ask all requests ahead where that is how they are asked."""
        await asyncio.to_thread(self.choose_examples, items)
        if self._model.ask_ahead is not None:
            await self._model.ask_ahead([request for item in items for request in self.requests(item)])

    def choose_examples(self, items: Sequence[Item]) -> None:
        """Choose the examples that are shown for each item."""
        if self._selector is not None:
            self._selector.prepare(items)

    def requests(self, item: Item) -> list[Request]:
        """The whole questions for an item, as the ledger keys them: one, or in mode `choice` one per draw."""
        question = self._question
        header = question.prompt.header
        examples = self._selector.choose(item) if self._selector is not None else ()
        return [
            Request(
                self._model.model,
                phrasing.messages(item, examples),
                header.model,
                self._reply,
                draw.sample,
            )
            for draw, phrasing in zip(self._draws, self._phrasings, strict=True)
        ]

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, asked one after the other; outages become failed predictions."""
        return [await self._ask(item) for item in items]

    async def _ask(self, item: Item) -> Prediction:
        requests = self.requests(item)
        if len(requests) == 1:
            replies = [await _reply_or_outage(self._model.provider, requests[0])]
        else:
            replies = await asyncio.gather(*(_reply_or_outage(self._model.provider, request) for request in requests))
        answered = [reply for reply in replies if not isinstance(reply, ProviderError)]
        outages = [reply for reply in replies if isinstance(reply, ProviderError)]
        return self._failed(item, outages) if outages else self._prediction(item, answered)

    def _failed(self, item: Item, outages: Sequence[ProviderError]) -> Prediction:
        error = outages[0]
        return Prediction(
            item.id,
            Outcome.FAILED,
            error=f"{type(error).__name__}: {error}",
            attempts=sum(max(len(outage.attempts), 1) for outage in outages),
            request_id=error.request_id,
            path=self._path,
        )

    def _prediction(self, item: Item, replies: Sequence[Response]) -> Prediction:
        outcome, label, scores = self._answer(replies)
        is_unread = outcome is Outcome.UNPARSED
        prices = [self._model.cost(reply) for reply in replies]
        return Prediction(
            item.id,
            outcome,
            label=label,
            score=self._sureness(label, scores),
            scores=scores,
            raw="\n".join(reply.text for reply in replies),
            error=unread.reason(replies[0], self._question.prompt.header.model.max_tokens) if is_unread else None,
            usage=_sum_of([reply.usage for reply in replies]),
            cost_usd=_usd([listed for listed, _ in prices]),
            billed_usd=_usd([0 if reply.cached else bill for reply, (_, bill) in zip(replies, prices, strict=True)]),
            latency_s=self._latency_s([reply.latency_s for reply in replies]),
            waited_s=_longest([None if reply.cached else reply.waited_s for reply in replies]),
            cached=all(reply.cached for reply in replies),
            attempts=sum(max(len(reply.attempts), 1) for reply in replies),
            request_id=replies[0].request_id,
            path=self._path,
        )

    def _sureness(self, label: str | None, scores: Mapping[str, float] | None) -> float | None:
        """How sure the answer is, where the model gave probabilities."""
        if not scores or label is None:
            return None
        sureness = getattr(self._kind, "sureness", None)
        return scores.get(label) if sureness is None else float(sureness(label, scores))

    def _latency_s(self, draws: Sequence[float | None]) -> float | None:
        """Draws are asked at the same time, so a caller waits for the slowest; or, one at a time, for all."""
        known = [each for each in draws if each is not None]
        if not known:
            return None
        return sum(known) if self._question.one_at_a_time else max(known)

    def _answer(self, replies: Sequence[Response]) -> tuple[Outcome, str | None, Mapping[str, float] | None]:
        if self._reply.mode == "choice":
            return choice.tally(self._draws, replies)
        reply = replies[0]
        if reply.finish == "refusal":
            return Outcome.REFUSED, None, None
        if reply.finish == "length":  # a label that goes on may be another label, or the beginning of a sentence
            return Outcome.UNPARSED, None, None
        outcome, label = self._kind.parse(reply.text, self._names, self._reply)
        return outcome, label, reply.scores


def _draws(question: Question) -> list[choice.Draw]:
    header = question.prompt.header
    if header.output != "choice":
        return [choice.plain(question.labels, question.sample)]
    votes = 1 if question.gives_scores else header.votes
    return choice.draws(question.labels, header.rotations, votes, question.sample)


async def _reply_or_outage(provider: Provider, request: Request) -> Response | ProviderError:
    try:
        return await provider.send(request)
    except (RateLimited, TransientError, RequestRejected) as error:
        return error


def _sum_of(usages: Sequence[Usage | None]) -> Usage | None:
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    return known[0] if len(known) == 1 else Usage(*(sum(counts) for counts in zip(*map(astuple, known), strict=True)))


def _longest(seconds: Sequence[float | None]) -> float | None:
    return max((each for each in seconds if each is not None), default=None)


def _usd(nanos: Sequence[int | None]) -> float | None:
    return None if None in nanos else sum(nano for nano in nanos if nano is not None) / NANO
