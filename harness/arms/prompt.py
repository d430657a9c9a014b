"""An LLM prompt as an arm: item in, request out, reply parsed, price attached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import plugins
from harness.errors import RateLimited, RequestRejected, TransientError
from harness.types import Example, Outcome, Prediction, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.fewshot import Selector
    from harness.prompts.files import Prompt
    from harness.types import Item, Label, Message, Model, Provider, ReplyFormat, Response


@dataclass(frozen=True, slots=True)
class Question:
    """What a prompt arm asks of whom: everything that does not depend on the item."""

    prompt: Prompt
    model: Model
    kind: str
    task: str
    labels: tuple[Label, ...]
    sample: int = 0


class PromptArm:
    """One prompt and one model. `price` gives a response's cost at list price, or None."""

    batch_size = 1

    def __init__(
        self,
        question: Question,
        provider: Provider,
        select: Callable[[Sequence[Example]], Selector],
        price: Callable[[Response], float | None],
    ) -> None:
        self._question = question
        self._provider = provider
        self._select = select
        self._price = price
        self._selector = select(()) if question.prompt.header.examples.how == "none" else None
        self._kind = plugins.load("kinds", question.kind)
        self._names = tuple(label.name for label in question.labels)
        header = question.prompt.header
        self._reply: ReplyFormat = self._kind.reply_format(header.output, self._names, header.pattern)
        self._path = (f"prompt:{question.prompt.version}",)

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Make the training items the pool that few-shot examples are chosen from."""
        pool = [Example(item, label, split="train") for item, label in zip(items, labels, strict=True)]
        self._selector = self._select(pool)

    def prepare(self, items: Sequence[Item]) -> None:
        """Choose the examples for all items at once."""
        if self._selector is not None:
            self._selector.prepare(items)

    def messages(self, item: Item) -> tuple[Message, ...]:
        """What the model is sent for an item."""
        examples = self._selector.choose(item) if self._selector is not None else ()
        question = self._question
        return question.prompt.template.messages(item, question.labels, question.task, examples)

    def request(self, item: Item) -> Request:
        """The whole question for an item, as the ledger keys it."""
        question = self._question
        return Request(question.model, self.messages(item), question.prompt.header.model, self._reply, question.sample)

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, asked one after the other; outages become failed predictions."""
        return [await self._ask(item) for item in items]

    async def _ask(self, item: Item) -> Prediction:
        try:
            response = await self._provider.send(self.request(item))
        except (RateLimited, TransientError, RequestRejected) as error:
            return Prediction(
                item.id,
                Outcome.FAILED,
                error=f"{type(error).__name__}: {error}",
                attempts=max(len(error.attempts), 1),
                request_id=error.request_id,
                path=self._path,
            )
        return self._prediction(item, response)

    def _prediction(self, item: Item, response: Response) -> Prediction:
        if response.finish == "refusal":
            outcome, label = Outcome.REFUSED, None
        else:
            outcome, label = self._kind.parse(response.text, self._names, self._reply)
        cost_usd = self._price(response)
        return Prediction(
            item.id,
            outcome,
            label=label,
            score=response.scores.get(label) if response.scores and label is not None else None,
            scores=response.scores,
            raw=response.text,
            usage=response.usage,
            cost_usd=cost_usd,
            billed_usd=0.0 if response.cached else cost_usd,
            latency_s=response.latency_s,
            cached=response.cached,
            attempts=max(len(response.attempts), 1),
            request_id=response.request_id,
            path=self._path,
        )
