"""Output items of OpenAI's hosted Evals: JSONL, a JSON list, or pages of the API (`.../runs/RUN/output_items`).

The model's last message is the answer; the data source item's `id`, or any text of it or of the prompt, the item. It
was right when all graders passed it. Where no model was asked, the data source item brought its own output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.store.importers import _reading as reading
from harness.store.matching import Foreign
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Item = dict[str, object]

ITEM = "eval.run.output_item"
OUTPUTS = ("output_text", "output", "completion", "model_output")


def recognises(path: Path) -> bool:
    """JSON in which the first object, or the first of a page, calls itself an output item."""
    first = reading.first_record(path)
    if first.get("object") in (ITEM, "list"):
        return ITEM in reading.beginning(path)
    start = "".join(reading.beginning(path).split())
    return start.startswith('{"') and f'"object":"{ITEM}"' in start and '"data":[' in start


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per output item; an item whose sample ended in an error is a failed one."""
    for where, item in _items(path):
        yield _row(where, item)


def _items(path: Path) -> Iterator[tuple[str, Item]]:
    """The items of a file of items, or of the pages in it."""
    is_lines = reading.first_record(path).get("object") in (ITEM, "list")
    found = reading.records(path) if is_lines else [(str(path), reading.mapping(reading.document(path), str(path)))]
    for where, record in found:
        if "data" not in record:
            yield where, record
            continue
        for number, one in enumerate(reading.sequence(record["data"], f"{where}: data"), start=1):
            place = f"{where}: output item {number}"
            yield place, reading.mapping(one, place)


def _row(where: str, item: Item) -> Foreign:
    source = item.get("datasource_item")
    inner = reading.part(source, "item")
    error = reading.part(item, "sample", "error", "message")
    answer = _answer(item, source, inner)
    is_failed = answer is None and (error is not None or item.get("status") in ("error", "errored"))
    return Foreign(
        where,
        reading.text(reading.part(inner, "id")) or reading.text(reading.part(source, "id")),
        None,
        answer,
        outcome=Outcome.FAILED if is_failed else None,
        error=reading.text(error) if is_failed else None,
        was_right=None if is_failed else _was_right(item),
        other_texts=(
            *reading.texts(inner),
            *reading.texts(source),
            *reading.contents(reading.part(item, "sample", "input")),
        ),
    )


def _answer(item: Item, source: object, inner: object) -> str | None:
    replies = reading.contents(reading.part(item, "sample", "output"))
    if replies:
        return replies[0]
    places = (reading.part(source, "sample"), source, inner)
    brought = (reading.part(place, name) for place in places for name in OUTPUTS)
    return next((reading.said(one) for one in brought if one is not None), None)


def _was_right(item: Item) -> bool | None:
    results = item.get("results")
    passed = [reading.part(one, "passed") for one in (results if isinstance(results, list) else [])]
    return all(passed) if passed and all(isinstance(one, bool) for one in passed) else None
