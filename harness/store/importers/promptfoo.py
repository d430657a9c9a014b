"""Results of promptfoo (`promptfoo eval --output`), JSON of versions 1 to 3 or JSONL: one prompt, one provider a time.

The output is the answer, as JSON where it is an object; a variable named `id`, or any other variable that is the item's
text, the item. It was right when its `equals` assertions held, or without any, when all its assertions did. With
`--repeat` it writes the same test several times and does not number them: where all tests occur equally often, the
second time a test occurs is the first repeat. A row that ended in an error (a time-out, a provider that is down) is
a failed one.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from harness.store.importers import _reading as reading
from harness.store.matching import Foreign
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Test = dict[str, object]

MS = 1000
ENDED_IN_ERROR = 2  # its `failureReason`: 1 is an assertion that did not hold
UNJUDGED = "No assertions"
OF_A_ROW = {"vars", "provider", "success"}


def recognises(path: Path) -> bool:
    """JSON that begins with an evaluation's id, or its version, and its results; JSONL whose lines are results."""
    if path.suffix == ".jsonl":
        return set(reading.first_line(path)) >= OF_A_ROW
    start = reading.beginning(path)
    is_named = '"evalId"' in start or ('"version"' in start and '"provider"' in start and '"prompt' in start)
    return path.suffix == ".json" and is_named and '"results"' in start


def instead(path: Path) -> str | None:
    """What to give in the place of its results in a form that is not read; None where a file is none of them."""
    start = reading.beginning(path)
    is_one = {
        ".yaml": start.startswith(("evalId:", "version:")) and "results:" in start,
        ".html": "promptfoo" in start.lower() or "[PASS]" in start,
        ".xml": "<promptfoo" in start,
        ".csv": any(one in start for one in ("[PASS]", "[FAIL]", ",Status,Score,")),
    }
    is_one[".yml"] = is_one[".yaml"]
    if not is_one.get(path.suffix, False):
        return None
    return f"promptfoo's results as {path.suffix}; write them as JSON: promptfoo eval --output results.json"


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per test; `DatasetError` when the file holds several prompts or providers."""
    tests = _tests(path)
    arms = {(_provider(one), _prompt(one)) for one in tests}
    if len(arms) > 1:
        named = ", ".join(f"{provider} with prompt {prompt}" for provider, prompt in sorted(arms))
        raise DatasetError(
            f"{path} holds {len(arms)} arms ({named}); write one at a time: --filter-providers, one prompt"
        )
    for number, (test, repeat) in enumerate(zip(tests, _repeats(tests), strict=True), start=1):
        yield _row(test, f"{path}: result {number}", repeat)


def _tests(path: Path) -> list[Test]:
    if reading.first_line(path).keys() >= OF_A_ROW:
        return [one for _, one in reading.lines(path)]
    results = reading.part(reading.document(path), "results")
    found = results if isinstance(results, list) else reading.part(results, "results")
    return [reading.mapping(one, f"{path}: result") for one in reading.sequence(found, f"{path}: results.results")]


def _provider(test: Test) -> str:
    provider = test.get("provider")
    return str(reading.part(provider, "id") or provider)


def _prompt(test: Test) -> str:
    """Which prompt it was: its number, or in older versions its label; the rendered text differs from test to test."""
    number = test.get("promptIdx")
    return str(reading.part(test, "prompt", "label") if number is None else number)


def _repeats(tests: list[Test]) -> list[int]:
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


def _row(test: Test, where: str, repeat: int) -> Foreign:
    output = reading.part(test, "response", "output")
    error = reading.text(reading.part(test, "response", "error")) or reading.text(test.get("error"))
    latency_ms, given = reading.amount(test.get("latencyMs")), test.get("vars")
    is_failed = output is None and (error is not None or test.get("failureReason") == ENDED_IN_ERROR)
    return Foreign(
        where,
        reading.text(reading.part(given, "id")),
        None,
        reading.said(output),
        outcome=Outcome.FAILED if is_failed else None,
        cost_usd=reading.amount(test.get("cost")) or None,  # it writes 0 where it knows no price
        latency_s=None if latency_ms is None else latency_ms / MS,
        error=error if is_failed else None,
        was_right=None if is_failed else _was_right(test),
        other_texts=reading.texts(given),
        repeat=reading.repeat(repeat, where),
    )


def _was_right(test: Test) -> bool | None:
    """The judgement of the answer itself: a test may also fail for its price or its time."""
    judged = reading.part(test, "gradingResult", "componentResults")
    equals = [
        reading.part(one, "pass") is True
        for one in (judged if isinstance(judged, list) else [])
        if reading.part(one, "assertion", "type") == "equals"
    ]
    if equals:
        return all(equals)
    return None if reading.part(test, "gradingResult", "reason") == UNJUDGED else test.get("success") is True
