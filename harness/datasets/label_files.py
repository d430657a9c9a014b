"""Items to be labelled and people's labels as files of other tools: plain CSV, Label Studio, doccano, Argilla.

A file that goes out holds a draw: each item with how many it stands for, and the labels that it has already. What
comes back is known by the item's id, which every one of the formats carries through; the text is there to be read.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from harness.datasets.sampling import WEIGHT
from harness.errors import DatasetError
from harness.ground import spreadsheets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ITEM, QUESTION = "item", "label"
COLUMNS = (ITEM, "text", QUESTION, "annotator", WEIGHT)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An item of such a file: what people said of it, by who they are, and how many it stands for (None: chosen)."""

    item: str
    text: str
    answers: Mapping[str, str]
    weight: float | None = None


def written(kind: str, items: Sequence[Labelled]) -> str:
    """The text of a file."""
    return FORMATS[kind][0](items)


def read(kind: str, text: str, where: str, annotator: str) -> list[Labelled]:
    """The items of a file's text that have an answer, those of nobody by `annotator`'s name.

    `DatasetError` for a file that is none, at `where`; what was discarded, skipped or left open is no answer.
    """
    try:
        found = list(FORMATS[kind][1](text, annotator))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, csv.Error, RecursionError) as error:
        raise DatasetError(
            f"{where} is no {kind} export: {type(error).__name__} {error}; expected what `harness label --export` "
            "writes, labelled"
        ) from None
    return [one for one in found if one.answers]


def _csv(items: Sequence[Labelled]) -> str:
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(COLUMNS)
    for one in items:
        weight = "" if one.weight is None else repr(one.weight)
        for who, answer in one.answers.items() or [("", "")]:
            out.writerow(spreadsheets.guarded(cell) for cell in (one.item, one.text, answer, who, weight))
    return file.getvalue()


def _of_csv(text: str, annotator: str) -> Iterator[Labelled]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    lacking = {ITEM, QUESTION} - set(rows.fieldnames or ())
    if lacking:
        raise ValueError(f"there is no column {min(lacking)!r}")
    for row in rows:
        cells = {name: spreadsheets.unguarded(row.get(name) or "") for name in COLUMNS if name in row}
        answer = cells[QUESTION]
        said = {cells.get("annotator") or annotator: answer} if answer else {}
        yield Labelled(cells[ITEM], cells.get("text", ""), said, _weight(cells.get(WEIGHT)))


def _label_studio(items: Sequence[Labelled]) -> str:
    """Tasks with `data`; labels are annotations of one choice, for `<Choices name="label" toName="text">`."""
    return _json(
        [
            {
                "data": _meta(one) | {"text": one.text},
                "annotations": [
                    {
                        "completed_by": {"email": who},
                        "result": [
                            {
                                "from_name": QUESTION,
                                "to_name": "text",
                                "type": "choices",
                                "value": {"choices": [answer]},
                            }
                        ],
                    }
                    for who, answer in one.answers.items()
                ],
            }
            for one in items
        ]
    )


def _of_label_studio(text: str, annotator: str) -> Iterator[Labelled]:
    for task in json.loads(text):
        said = {}
        for one in task.get("annotations") or ():
            chosen = [r["value"]["choices"][0] for r in one["result"] if r["type"] == "choices"]
            if chosen and not one.get("was_cancelled"):
                said[_who(one.get("completed_by"), annotator)] = str(chosen[0])
        yield _known(task["data"], str(task["data"].get("text", "")), said)


def _doccano(items: Sequence[Labelled]) -> str:
    """A line an item; the file holds no names, so it takes what one person said, or all of them, as its labels."""
    lines = [
        json.dumps(
            _meta(one) | {"text": one.text, QUESTION: list(dict.fromkeys(one.answers.values()))}, ensure_ascii=False
        )
        for one in items
    ]
    return "".join(f"{line}\n" for line in lines)


def _of_doccano(text: str, annotator: str) -> Iterator[Labelled]:
    for line in filter(str.strip, text.split("\n")):
        row = json.loads(line)
        labels = row.get(QUESTION) or row.get("labels") or []
        if len(labels) > 1:
            raise ValueError(f"item {row.get(ITEM)!r} has {len(labels)} labels; of kind single it has one")
        said = {_who(row.get("annotator"), annotator): str(labels[0])} if labels else {}
        yield _known(row, str(row.get("text", "")), said)


def _argilla(items: Sequence[Labelled]) -> str:
    """Records as Argilla 2 gives and takes them: `fields`, `metadata`, `responses` to the question `label`."""
    return _json(
        [
            {
                "id": one.item,
                "fields": {"text": one.text},
                "metadata": _meta(one),
                "suggestions": {},
                "responses": {QUESTION: [{"value": answer, "user_id": who} for who, answer in one.answers.items()]},
            }
            for one in items
        ]
    )


def _of_argilla(text: str, annotator: str) -> Iterator[Labelled]:
    for record in json.loads(text):
        given = (record.get("responses") or {}).get(QUESTION) or []
        said = {
            _who(one.get("user_id"), annotator): str(one["value"])
            for one in given
            if one.get("status", "submitted") == "submitted" and one.get("value") is not None
        }
        yield _known({ITEM: record["id"]} | (record.get("metadata") or {}), str(record["fields"].get("text", "")), said)


FORMATS: dict[str, tuple[Callable[[Sequence[Labelled]], str], Callable[[str, str], Iterator[Labelled]]]] = {
    "csv": (_csv, _of_csv),
    "label-studio": (_label_studio, _of_label_studio),
    "doccano": (_doccano, _of_doccano),
    "argilla": (_argilla, _of_argilla),
}
"""How each format is written, and read."""


def _meta(one: Labelled) -> dict[str, Any]:
    return {ITEM: one.item} | ({} if one.weight is None else {WEIGHT: one.weight})


def _known(meta: Mapping[str, Any], text: str, said: Mapping[str, str]) -> Labelled:
    return Labelled(str(meta[ITEM]), text, said, _weight(meta.get(WEIGHT)))


def _weight(given: object) -> float | None:
    if given in (None, ""):
        return None
    weight = float(str(given))
    if not (isfinite(weight) and weight > 0):
        raise ValueError(f"{WEIGHT} {given!r} is none; expected a number above 0")
    return weight


def _who(given: object, annotator: str) -> str:
    """A person's name: what the tool calls them, by mail where it knows that; '' decides for all and is nobody's."""
    if isinstance(given, dict):
        given = given.get("email") or given.get("id")
    return str(given) if given not in (None, "") else annotator


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
