"""After rewriting, examples: how many, chosen how, in what order; tried on dev alone.

A training item would show itself. Examples are items that nobody learnt from and that no other split repeats, equally
or nearly, so the guard of `fewshot` has nothing to refuse.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.app.project.improving import asking
from harness.arms import fewshot
from harness.arms.prompts import showing
from harness.arms.prompts.files import FewShot, Making
from harness.arms.prompts.proposals import BYTES_PER_TOKEN, PROBED
from harness.errors import ConfigError
from harness.runs.improving.search import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.app.project.improving.asking import Answerer
    from harness.app.project.improving.setting import Parts, Setting
    from harness.arms.prompts.files import Prompt
    from harness.runs.improving.race import Variant
    from harness.types import Example

COUNTS = (4, 8, 16)
NEAREST = (4, 8)
CANDIDATES = 8  # for each example that may be shown: some repeat items of other splits


def variants(setting: Setting, parts: Parts, answerer: Answerer, best: Variant, learnt_from: set[str]) -> list[Variant]:
    """The best prompt with examples, in each way that is within its tokens; none where it has some already."""
    prompt = asking.prompt_of(best)
    if not setting.shows_examples or setting.margin is not None or prompt.header.examples.how != "none":
        return []
    prompt = replace(prompt, header=replace(prompt.header, made=_barring(prompt, learnt_from)))
    made = [_variant(setting, answerer, prompt, how) for how in _ways(setting, parts, prompt.header.learnt_from)]
    return [one for one in made if one is not None and one.tokens <= setting.most_tokens]


def _ways(setting: Setting, parts: Parts, barred: frozenset[str]) -> list[FewShot]:
    """Labels in turns, in both orders, and the nearest."""
    pool = fewshot.in_turns(_pool(setting, parts, barred))
    ways = []
    for k in COUNTS:
        ids = tuple(example.item.id for example in pool[:k])
        if len(ids) == k:
            ways.append(FewShot("fixed", k, ids))
    if ways:
        ways.append(replace(ways[-1], ids=ways[-1].ids[::-1]))
    return ways + [FewShot("knn", k) for k in NEAREST if len(pool) > k]


def _pool(setting: Setting, parts: Parts, barred: frozenset[str]) -> Sequence[Example]:
    """The items to show, in an order that says nothing: nobody learnt from them, and no other split repeats them."""
    order = {item: place for place, item in enumerate(parts.terms(setting).train)}
    free = sorted((one for one in parts.train if one.item.id not in barred), key=lambda one: order[one.item.id])
    others = [one.item for one in (*parts.dev, *setting.dataset.labelled(setting.test))]
    candidates = fewshot.in_turns(free)[: CANDIDATES * max(COUNTS)]
    pool = [one for one in setting.dataset.labelled("train") if one.item.id not in barred]  # as the arm's
    place_of = {one.item.id: place for place, one in enumerate(pool)}
    guard = fewshot.Guard(pool, FewShot().near)
    places = [place_of[one.item.id] for one in candidates]
    repeated = np.any(guard.holds(others, places), axis=0).tolist()
    return [one for one, is_repeat in zip(candidates, repeated, strict=True) if not is_repeat]


def _barring(prompt: Prompt, learnt_from: set[str]) -> Making:
    made = prompt.header.made or Making()
    return replace(made, learnt_from=tuple(sorted({*made.learnt_from, *learnt_from})))


def _variant(setting: Setting, answerer: Answerer, prompt: Prompt, how: FewShot) -> Variant | None:
    """The prompt with examples chosen so; None where it cannot be."""
    try:
        variant = asking.variant_of(showing.with_examples(prompt, how), setting, EXAMPLES)
        arm = answerer.arm(variant)
    except ConfigError:
        return None
    items = [one.item for one in setting.dataset.in_split("dev")[:PROBED] or setting.dataset.in_split(setting.test)[:1]]
    sizes = [len(message.content.encode()) for item in items for message in arm.requests(item)[0].messages]
    return replace(variant, tokens=sum(sizes) / len(items) / BYTES_PER_TOKEN)
