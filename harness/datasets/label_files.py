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

from harness.datasets.label_given import Given, answer_of, of_answer
from harness.datasets.sampling import WEIGHT
from harness.errors import ConfigError, DatasetError
from harness.ground import spreadsheets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.datasets.label_given import Place
    from harness.types import JSON

ITEM, QUESTION = "item", "label"
COLUMNS = (ITEM, "text", QUESTION, "annotator", WEIGHT)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An item of such a file: what people said of it, by who they are, and how many it stands for (None: chosen)."""

    item: str
    text: str
    answers: Mapping[str, str]
    weight: float | None = None


def written(form: str, items: Sequence[Labelled], kind: str = "single") -> str:
    """The text of a file in one of the `FORMATS`, of answers of a kind; `ConfigError` where it cannot hold them."""
    return FORMATS[form][0](items, kind)


def read(form: str, text: str, where: str, annotator: str, kind: str = "single") -> list[Labelled]:
    """The items of a file's text that have an answer, those of nobody by `annotator`'s name.

    `DatasetError` for a file that is none, at `where`; what was discarded, skipped or left open is no answer.
    """
    try:
        found = list(FORMATS[form][1](text, annotator, kind))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, csv.Error, RecursionError) as error:
        raise DatasetError(
            f"{where} is no {form} export: {type(error).__name__} {error}; expected what `harness label --export` "
            "writes, labelled"
        ) from None
    return [one for one in found if one.answers]


def _csv(items: Sequence[Labelled], _kind: str) -> str:
    """A row an answer, as the kind writes it."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(COLUMNS)
    for one in items:
        weight = "" if one.weight is None else repr(one.weight)
        for who, answer in one.answers.items() or [("", "")]:
            out.writerow(spreadsheets.guarded(cell) for cell in (one.item, one.text, answer, who, weight))
    return file.getvalue()


def _of_csv(text: str, annotator: str, _kind: str) -> Iterator[Labelled]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    lacking = {ITEM, QUESTION} - set(rows.fieldnames or ())
    if lacking:
        raise ValueError(f"there is no column {min(lacking)!r}")
    for row in rows:
        cells = {name: spreadsheets.unguarded(row.get(name) or "") for name in COLUMNS if name in row}
        answer = cells[QUESTION]
        said = {cells.get("annotator") or annotator: answer} if answer else {}
        yield Labelled(cells[ITEM], cells.get("text", ""), said, _weight(cells.get(WEIGHT)))


def _label_studio(items: Sequence[Labelled], kind: str) -> str:
    """Tasks with `data`, and an annotation a person.

    Names are for `<Choices name="label" toName="text">`, places for `<Labels>`, a number for `<Number>`.
    """
    return _json(
        [
            {
                "data": _meta(one) | {"text": one.text},
                "annotations": [
                    {
                        "completed_by": {"email": who},
                        "result": [
                            {"from_name": QUESTION, "to_name": "text", "type": form, "value": value}
                            for form, value in _regions(of_answer(kind, answer), one.text)
                        ],
                    }
                    for who, answer in one.answers.items()
                ],
            }
            for one in items
        ]
    )


def _regions(given: Given, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if given.names:
        yield "choices", {"choices": list(given.names)}
    for field, start, end in given.places:
        yield "labels", {"start": start, "end": end, "text": text[start:end], "labels": [field]}
    if given.number is not None:
        yield "number", {"number": given.number}


def _of_label_studio(text: str, annotator: str, kind: str) -> Iterator[Labelled]:
    for task in json.loads(text):
        of_item, said = str(task["data"].get("text", "")), {}
        for one in task.get("annotations") or ():
            answer = answer_of(kind, _chosen(one["result"]), of_item)
            if answer is not None and not one.get("was_cancelled"):
                said[_who(one.get("completed_by"), annotator)] = answer
        yield _known(task["data"], of_item, said)


def _chosen(result: Sequence[Mapping[str, Any]]) -> Given:
    """What the regions of an annotation say together."""
    names: list[str] = []
    places: list[Place] = []
    numbers: list[float] = []
    for region in result:
        value = region["value"]
        match region["type"]:
            case "choices":
                names += map(str, value["choices"])
            case "labels":
                places += [(str(field), int(value["start"]), int(value["end"])) for field in value["labels"]]
            case "number" | "rating" as form:
                numbers.append(float(value[form]))
    return Given(tuple(names), tuple(places), numbers[0] if numbers else None)


def _doccano(items: Sequence[Labelled], kind: str) -> str:
    """A line an item; the file holds no names of people, so it takes what all of them say, and knows no numbers."""
    return "".join(
        json.dumps(_meta(one) | {"text": one.text, QUESTION: _together(one, kind)}, ensure_ascii=False) + "\n"
        for one in items
    )


def _together(one: Labelled, kind: str) -> list[Any]:
    answers = list(dict.fromkeys(one.answers.values()))
    given = [of_answer(kind, answer) for answer in answers]
    if any(each.number is not None for each in given):
        raise ConfigError("doccano knows no numbers; --format csv, label-studio or argilla takes them")
    if len(answers) > 1 and kind in ("multi", "extract"):
        raise ConfigError(
            f"people differ on item {one.item!r}, and doccano's files do not say who said what; --format csv, "
            "label-studio or argilla does"
        )
    return [name for each in given for name in each.names] + [
        [a, b, field] for each in given for field, a, b in each.places
    ]


def _of_doccano(text: str, annotator: str, kind: str) -> Iterator[Labelled]:
    for line in filter(str.strip, text.split("\n")):
        row = json.loads(line)
        labels = row.get(QUESTION) or row.get("labels") or []
        if len(labels) > 1 and kind not in ("multi", "extract"):
            raise ValueError(f"item {row.get(ITEM)!r} has {len(labels)} labels; of kind {kind} it has one")
        places = tuple((str(one[2]), int(one[0]), int(one[1])) for one in labels if isinstance(one, list))
        given = Given(tuple(str(one) for one in labels if not isinstance(one, list)), places)
        of_item = str(row.get("text", ""))
        answer = (
            answer_of(kind, given, of_item) if labels else None
        )  # a line without one was not labelled, or says none
        yield _known(row, of_item, {} if answer is None else {_who(row.get("annotator"), annotator): answer})


def _argilla(items: Sequence[Labelled], kind: str) -> str:
    """Records as Argilla 2 gives and takes them: `fields`, `metadata`, `responses` to the question `label`."""
    return _json(
        [
            {
                "id": one.item,
                "fields": {"text": one.text},
                "metadata": _meta(one),
                "suggestions": {},
                "responses": {
                    QUESTION: [
                        {"value": _value(kind, of_answer(kind, answer)), "user_id": who}
                        for who, answer in one.answers.items()
                    ]
                },
            }
            for one in items
        ]
    )


def _value(kind: str, given: Given) -> JSON:
    """The value of a response: of a label, a multi-label, a span or a rating question."""
    if kind == "extract":
        places: list[JSON] = [{"label": field, "start": start, "end": end} for field, start, end in given.places]
        return places
    if given.number is not None:
        return int(given.number) if given.number.is_integer() else given.number
    return list(given.names) if kind == "multi" else given.names[0]


def _of_argilla(text: str, annotator: str, kind: str) -> Iterator[Labelled]:
    for record in json.loads(text):
        given = (record.get("responses") or {}).get(QUESTION) or []
        of_item = str(record["fields"].get("text", ""))
        said = {}
        for one in given:
            if one.get("status", "submitted") == "submitted" and one.get("value") is not None:
                answer = answer_of(kind, _responded(kind, one), of_item)
                if answer is not None:
                    said[_who(one.get("user_id"), annotator)] = answer
        yield _known({ITEM: record["id"]} | (record.get("metadata") or {}), of_item, said)


def _responded(kind: str, response: Mapping[str, Any]) -> Given:
    value = response["value"]
    if kind == "extract":
        return Given(places=tuple((str(one["label"]), int(one["start"]), int(one["end"])) for one in value))
    if kind == "score":
        return Given(number=float(value))
    return Given(names=tuple(map(str, value)) if kind == "multi" else (str(value),))


FORMATS: dict[str, tuple[Callable[[Sequence[Labelled], str], str], Callable[[str, str, str], Iterator[Labelled]]]] = {
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
