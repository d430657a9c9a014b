"""Samples of lm-evaluation-harness (`--log_samples`): JSONL, or the JSON list that its first versions of 0.4 wrote.

The filtered response is the answer; the document's `id`, or any of its texts, the item. Multiple-choice tasks log
log-likelihoods instead of an answer: the likeliest choice is the answer. Its text stands in the document, or it is
the continuation in the arguments. A task with several filters has as many answers to every document: `--filter`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.errors import ConfigError, DatasetError, one_of
from harness.store.importers import _reading as reading
from harness.store.matching import Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Sample = dict[str, object]

VARIANT = "filter"
METRICS = ("exact_match", "acc")


def recognises(path: Path) -> bool:
    """Records that have a document, its arguments or hash, and filtered responses."""
    found = set(reading.first_record(path))
    return {"filtered_resps", "doc"} <= found and bool({"doc_hash", "arguments", "doc_id"} & found)


def instead(path: Path) -> str | None:
    """What to give in the place of a file of its averages; None where a file is none."""
    start = reading.beginning(path)
    is_averages = '"results"' in start and '"alias"' in start
    if path.suffix != ".json" or not is_averages:
        return None
    return "lm-eval's averages; the answers stand beside them in samples_TASK_*.jsonl, which --log_samples writes"


def rows(path: Path, wanted: str | None = None) -> Iterator[Foreign]:
    """One prediction per document, as the filter that is wanted gave it."""
    name = _chosen(list(dict.fromkeys(name for _, _, name in _samples(path))), wanted, path)
    for where, sample, of_filter in _samples(path):
        if of_filter == name:
            yield _row(where, sample)


def _samples(path: Path) -> Iterator[tuple[str, Sample, str]]:
    """Each sample with the name of its filter; versions that do not name them write one filter after the other."""
    seen: Counter[str] = Counter()
    for where, sample in reading.records(path):
        document = str(sample.get("doc_id"))
        seen[document] += 1
        name = sample.get("filter")
        yield where, sample, name if isinstance(name, str) else str(seen[document])


def _chosen(names: list[str], wanted: str | None, path: Path) -> str | None:
    if wanted is None and len(names) > 1:
        raise ConfigError(
            f"{path} has the answers of {len(names)} filters; say which count: --filter {' or --filter '.join(names)}"
        )
    if wanted is not None and wanted not in names:
        raise ConfigError(f"{path} has no filter {wanted!r}; {one_of(wanted, names)}")
    return wanted or next(iter(names), None)


def _row(where: str, sample: Sample) -> Foreign:
    document = sample.get("doc")
    right = next((sample[name] for name in METRICS if name in sample), None)
    answer, *spellings = _answers(sample, where)
    return Foreign(
        where,
        reading.text(reading.part(document, "id")),
        None,
        answer,
        was_right=right == 1 if isinstance(right, int | float) and right in (0, 1) else None,
        other_texts=reading.texts(document),
        spellings=tuple(one for one in spellings if one is not None),
    )


def _answers(sample: Sample, where: str) -> list[str | None]:
    """The answer, and what else it may be called."""
    responses = sample.get("filtered_resps")
    if not isinstance(responses, list):
        return [reading.said(responses)]
    if not responses:
        return [None]
    likely = [_likelihood(response) for response in responses]
    if None in likely:
        return [_first(responses[0])]
    choices = _choices(sample, len(responses))
    if not choices:
        raise DatasetError(f"{where}: {len(responses)} log-likelihoods, and no texts of as many choices with them")
    n = len(choices[0])
    best = max(range(n), key=lambda i: likely[i] or 0.0)
    return [*(texts[best] for texts in choices), str(best)]


def _choices(sample: Sample, n: int) -> list[list[str]]:
    """The texts of the choices: the document's, and the continuations that were scored.

    A task that also scores the choices without the question (mutual information) has twice as many responses.
    """
    inside = [reading.part(sample.get("doc"), "choices"), reading.part(sample.get("doc"), "choices", "text")]
    listed = [[str(one) for one in found] for found in inside if isinstance(found, list) and len(found) in (n, n / 2)]
    scored = _continuations(sample.get("arguments"))
    if len(scored) == n:
        is_twice = n % 2 == 0 and scored[: n // 2] == scored[n // 2 :]
        listed.append(scored[: n // 2] if is_twice else scored)
    return [texts for texts in listed if len(texts) == min(map(len, listed))]


def _continuations(arguments: object) -> list[str]:
    """What was scored after the prompt, request by request, in either of the two layouts."""
    if isinstance(arguments, dict):
        requests = [[one.get("arg_0"), one.get("arg_1")] for one in arguments.values() if isinstance(one, dict)]
    else:
        requests = [one for one in arguments if isinstance(one, list)] if isinstance(arguments, list) else []
    return [one[1] for one in requests if len(one) > 1 and isinstance(one[1], str)]


def _likelihood(response: object) -> float | None:
    """A log-likelihood, which is logged beside whether it was the greedy choice: as numbers, or as their texts."""
    if not isinstance(response, list) or len(response) != 2 or str(response[1]) not in ("True", "False", "0", "1"):
        return None
    try:
        value = float(response[0]) if isinstance(response[0], int | float | str) else None
    except ValueError:
        return None
    return value if value is not None and value <= 0 else None


def _first(response: object) -> str | None:
    value = response[0] if isinstance(response, list) and response else response
    return None if isinstance(value, list | dict) else reading.said(value)
