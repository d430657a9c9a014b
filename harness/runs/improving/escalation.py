"""GEPA (Agrawal et al. 2025, arXiv:2507.19457), the package gepa, where rewriting has shown a gain: on training items.

What is asked and proposed goes through the same scorer and proposer as before, so the ledger, the budget and the strict
reading hold. Its traps are kept out: it sees keys in place of prompts, so that no text becomes a prompt unread; an
error of the model that proposes, which it would swallow, ends it and is raised here; it keeps no folder, for what is
kept there is a pickle, and the ledger answers what was asked before. Its own validation score decides nothing: what it
found goes on to dev like every variant.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness.runs.improving.race import Scored, Variant
from harness.runs.improving.search import Trial

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from harness.runs.improving.race import Scorer
    from harness.runs.improving.search import Proposer, Purse, Story, Terms

ORIGIN = "gepa"
PART = "prompt"
SHOWN = 8  # items of a proposal
MISSING = "GEPA was not tried, for gepa is not installed: pip install 'prompt-harness[improve]'"


def is_there() -> bool:
    """Whether the package is installed."""
    return find_spec("gepa") is not None


def most_asks(terms: Terms) -> int:
    """The most questions that it takes: the first look, and each proposal on its items and on all."""
    return terms.sizes[-1] + terms.escalated * (2 * SHOWN + terms.sizes[-1])


@dataclass(frozen=True, slots=True)
class Means:
    """Who is asked, who proposes, and with what money."""

    scorer: Scorer
    propose: Proposer
    purse: Purse


async def evolved(means: Means, terms: Terms, story: Story) -> list[Variant]:
    """What it found that is better than the best so far on its training items, the best first; trials are entered."""
    evolution = _Evolution(means, terms, story, asyncio.get_running_loop())
    result = await asyncio.to_thread(evolution.run)
    if evolution.error is not None:
        raise evolution.error
    scored = zip(result.val_aggregate_scores, result.candidates, strict=True)
    order = sorted(((score, one[PART]) for score, one in scored), key=lambda pair: -pair[0])
    least = result.val_aggregate_scores[0]
    return [evolution.variants[key] for score, key in order if score > least]


class _Evolution:
    """One run of gepa's engine in a thread of its own; every question is asked in the loop that all others are."""

    def __init__(self, means: Means, terms: Terms, story: Story, loop: asyncio.AbstractEventLoop) -> None:
        self.variants = {story.best.key: story.best}
        self.error: BaseException | None = None
        self.propose_new_texts = None  # gepa asks for the name
        self._means, self._terms, self._story, self._loop = means, terms, story, loop
        self._last = len(story.trials) + terms.escalated

    def run(self) -> Any:  # noqa: ANN401  (gepa's own record)
        """Gepa's result."""
        return import_module("gepa").optimize(
            seed_candidate={PART: self._story.best.key},
            trainset=list(self._terms.train),
            valset=list(self._terms.train[: self._terms.sizes[-1]]),
            adapter=self,
            custom_candidate_proposer=self._proposed,
            reflection_minibatch_size=min(SHOWN, len(self._terms.train)),
            max_metric_calls=most_asks(self._terms),
            stop_callbacks=self._is_over,
            logger=_Silence(),
            track_best_outputs=False,
            seed=self._terms.seed,
        )

    def evaluate(self, batch: list[str], candidate: dict[str, str], capture_traces: bool = False) -> Any:  # noqa: ANN401
        """What a variant says of some items, as gepa keeps it; an item without an answer counts nothing."""
        answers = list(self._await(self._means.scorer(self.variants[candidate[PART]], batch)) or ())
        if len(answers) < len(batch):
            answers = [Scored(item, 0.0) for item in batch]  # it is over: `error` is raised when gepa has ended
        made = import_module("gepa.core.adapter").EvaluationBatch
        scores = [one.credit or 0.0 for one in answers]
        return made(outputs=answers, scores=scores, trajectories=answers if capture_traces else None)

    def make_reflective_dataset(
        self,
        candidate: dict[str, str],  # noqa: ARG002  (gepa's signature)
        eval_batch: Any,  # noqa: ANN401  (gepa's own record)
        components_to_update: list[str],
    ) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """The items that a proposal is made from."""
        return {part: [{"answer": one} for one in eval_batch.trajectories] for part in components_to_update}

    def _proposed(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],  # noqa: ARG002  (gepa's signature)
    ) -> dict[str, str]:
        """Another prompt, or the same where the proposal has a flaw."""
        story, holder = self._story, self.variants[candidate[PART]]
        if self._is_over(None):
            return candidate
        lessons = [row["answer"] for row in reflective_dataset[PART]]
        story.learnt_from |= {one.item for one in lessons}
        number = len(story.trials) + 1
        found = self._await(self._means.propose(number, holder, lessons, tuple(story.trials)))
        if found is None:
            return candidate
        variant = None if found.variant is None else replace(found.variant, number=number, origin=ORIGIN)
        outcome = "not better on train" if variant else found.flaw
        story.trials.append(Trial(number, ORIGIN, outcome, variant, holder, spent_usd=self._means.purse.spent_usd))
        if variant is None:
            return candidate
        self.variants[variant.key] = variant
        return {PART: variant.key}

    def _await(self, asked: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401  (whatever is awaited)
        """What is asked in the loop; None after an error, which is kept, for gepa would go on after it."""
        if self.error is not None:
            asked.close()
            return None
        future = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            self.error = future.exception()
        except CancelledError as cancelled:
            self.error = cancelled
        return None if self.error is not None else future.result()

    def _is_over(self, _state: object) -> bool:
        """Whether it has to end: an error, as many proposals as it may have, or the money."""
        if self.error is not None or len(self._story.trials) >= self._last:
            return True
        return not self._means.purse.holds(2 * SHOWN + self._terms.sizes[-1] + self._terms.asks_on_dev(1), 1)


class _Silence:
    """gepa's logger prints; this one does not."""

    def log(self, message: str) -> None:
        """Nothing is printed."""
