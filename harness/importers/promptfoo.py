"""Results of promptfoo (`promptfoo eval --output results.json`): one prompt with one provider at a time.

The output is the answer; a variable named `id`, or any other variable that is the item's text, the item. It was
right when all its assertions passed. With `--repeat` it writes the same test several times and does not number
them: where all tests occur equally often, the second time a test occurs is the first repeat.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from harness.importers import _reading as reading
from harness.matching import Foreign
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MS = 1000


def recognises(path: Path) -> bool:
    """JSON that begins with an evaluation's id and its results."""
    start = reading.beginning(path)
    return path.suffix == ".json" and '"evalId"' in start and '"results"' in start


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per test; `DatasetError` when the file holds several prompts or providers."""
    found = reading.part(reading.document(path), "results", "results")
    tests = [reading.mapping(one, f"{path}: result") for one in reading.sequence(found, f"{path}: results.results")]
    arms = {(str(reading.part(one, "provider", "id")), str(one.get("promptIdx"))) for one in tests}
    if len(arms) > 1:
        named = ", ".join(f"{provider} with prompt {prompt}" for provider, prompt in sorted(arms))
        raise DatasetError(
            f"{path} holds {len(arms)} arms ({named}); write one at a time: --filter-providers, one prompt"
        )
    for number, (test, repeat) in enumerate(zip(tests, _repeats(tests), strict=True), start=1):
        yield _row(test, f"{path}: result {number}", repeat)


def _repeats(tests: list[dict[str, object]]) -> list[int]:
    """How often each test occurred before; 0 everywhere unless all occur equally often."""
    asked = [json.dumps(test.get("vars"), sort_keys=True) for test in tests]
    if len(set(Counter(asked).values())) != 1:
        return [0] * len(tests)
    seen: Counter[str] = Counter()
    repeats = []
    for one in asked:
        repeats.append(seen[one])
        seen[one] += 1
    return repeats


def _row(test: dict[str, object], where: str, repeat: int) -> Foreign:
    output = reading.part(test, "response", "output")
    error = reading.text(reading.part(test, "response", "error"))
    latency_ms, given = reading.amount(test.get("latencyMs")), test.get("vars")
    is_failed = output is None and error is not None
    return Foreign(
        where,
        reading.text(reading.part(given, "id")),
        None,
        reading.text(output),
        outcome=Outcome.FAILED if is_failed else None,
        cost_usd=reading.amount(test.get("cost")) or None,  # it writes 0 where it knows no price
        latency_s=None if latency_ms is None else latency_ms / MS,
        error=error if is_failed else None,
        was_right=test.get("success") is True,
        other_texts=reading.texts(given),
        repeat=reading.repeat(repeat, where),
    )
