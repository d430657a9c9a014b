"""The JSON that annotation tools, hubs and table libraries write, brought to plain rows.

A converter takes a tool's object and returns a row with the item's own columns and a column
`label`, or None for an object that its annotators set aside. What the tool keeps for itself stays
out: it may hold the label once more.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.datasets.cells import spelt
from harness.datasets.notes import DISAGREE
from harness.datasets.vocabulary import SPLIT_OF
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.datasets.notes import Notes

    Object = dict[str, object]
    Converter = Callable[[Object, str, Notes], Object | None]

LABEL = "label"
SPLIT = "split"
"""The column that says in which of a document's splits a row stands."""
ROW_LISTS = ("rows", "data", "records", "items", "examples", "instances")
PRODIGY_OWN = frozenset({"options", "accept", "answer", "label", "spans", "tokens", "config", "style"})
ROLES = ("system", "developer", "user", "assistant")


def recognised(first: Mapping[str, object], wanted: Sequence[str]) -> Converter | None:
    """The converter for objects like this one; None where they are rows as they stand."""
    if isinstance(first.get("data"), dict) and isinstance(first.get("annotations", first.get("completions")), list):
        return partial(_label_studio, wanted=wanted)
    if _is_prodigy(first):
        return partial(_prodigy, wanted=wanted)
    if isinstance(first.get("fields"), dict) and "responses" in first:
        return partial(_argilla, wanted=wanted)
    if "annotation" in first and "prediction" in first and "status" in first:
        return partial(_old_argilla, wanted=wanted)
    if _is_chat(first) and not any(name in first for name in wanted if name != LABEL):
        return _chat
    return None


def _is_prodigy(first: Mapping[str, object]) -> bool:
    """A task with its hashes; or without them, a judged label, or a choice among options."""
    is_judged = first.get("answer") in ("accept", "reject", "ignore") and ("label" in first or "options" in first)
    return is_judged or ("answer" in first and ("_task_hash" in first or "_input_hash" in first))


def in_document(value: object, path: Path) -> Iterator[tuple[str, Object]]:
    """The rows of a document: the answer of a hub's server, a table as pandas writes it, or splits by name."""
    if not isinstance(value, dict):
        raise DatasetError(f"{path}: found a JSON {type(value).__name__}; expected rows")
    for number, row in enumerate(_rows(value, path), start=1):
        where = f"{path}: row {number}"
        if not isinstance(row, dict):
            raise DatasetError(f"{where}: found a JSON {type(row).__name__}; expected an object")
        yield where, row


def with_names(row: Object, names: Mapping[str, Sequence[str]]) -> Object:
    """The row with class numbers replaced by the names that the data set gives them; -1 is no class."""
    for column, of_column in names.items():
        number = row.get(column)
        if isinstance(number, int) and not isinstance(number, bool) and -1 <= number < len(of_column):
            row = {**row, column: None if number == -1 else of_column[number]}
    return row


def class_names(features: object) -> dict[str, list[str]]:
    """The names of the classes by column, from a hub's description of a data set's features."""
    described = features.items() if isinstance(features, dict) else _listed(features)
    names = {}
    for column, kind in described:
        if isinstance(kind, dict) and isinstance(kind.get("names"), list):
            names[str(column)] = [str(name) for name in kind["names"]]
    return names


def _listed(features: object) -> Iterator[tuple[object, object]]:
    for feature in features if isinstance(features, list) else ():
        if isinstance(feature, dict):
            yield feature.get("name"), feature.get("type")


def _rows(value: Object, path: Path) -> Iterator[object]:
    rows, splits = _row_list(value), splits_of(value)
    if splits:
        yield from _of_splits(splits)
    elif rows is not None:
        yield from _listed_rows(value, rows, path)
    else:
        yield from _of_parts(value, path)


def _listed_rows(value: Object, rows: Sequence[object], path: Path) -> Iterator[object]:
    """Rows as a hub's server or a table library lists them."""
    names, columns = class_names(value.get("features")), value.get("columns")
    for number, row in enumerate(rows, start=1):
        if isinstance(row, list) and isinstance(columns, list):
            yield dict(zip(map(str, columns), row, strict=False))
        elif isinstance(row, dict) and isinstance(row.get("row"), dict):
            if row.get("truncated_cells"):
                raise DatasetError(f"{path}: row {number}: the server cut off {row['truncated_cells']}")
            yield with_names(row["row"], names)
        else:
            yield with_names(row, names) if isinstance(row, dict) else row


def _of_parts(value: Object, path: Path) -> Iterator[object]:
    """Columns or rows by name, or the one row that the document is."""
    parts = list(value.values())
    if parts and all(isinstance(part, list) for part in parts):
        yield from _by_list(value, path)
    elif parts and all(isinstance(part, dict) for part in parts):
        yield from _by_key(value)
    else:
        yield value


def splits_of(value: object) -> dict[str, list[object]]:
    """The rows by split of a document that has lists of rows under names of splits; empty for another document.

    They stand at its top, or where a document has its rows otherwise (`data`). What else stands there is no row.
    """
    if not isinstance(value, dict):
        return {}
    for holder in (value, *(value.get(name) for name in ROW_LISTS)):
        lists = _lists_of_rows(holder) if isinstance(holder, dict) else {}
        if any(name.strip().lower() in SPLIT_OF for name in lists):
            return lists
    return {}


def _lists_of_rows(holder: Object) -> dict[str, list[object]]:
    return {
        name: rows for name, rows in holder.items() if isinstance(rows, list) and rows and isinstance(rows[0], dict)
    }


def _of_splits(splits: Mapping[str, list[object]]) -> Iterator[object]:
    for name, rows in splits.items():
        for row in rows:
            yield {**row, SPLIT: name} if isinstance(row, dict) else row


def _row_list(value: Object) -> list[object] | None:
    """The list of rows that a document holds under a usual name."""
    for name in ROW_LISTS:
        rows = value.get(name)
        if isinstance(rows, list) and (not rows or isinstance(rows[0], dict | list)):
            return rows
    return None


def _by_list(value: Object, path: Path) -> Iterator[object]:
    """Columns as lists, or splits as lists of rows."""
    lists = {name: part for name, part in value.items() if isinstance(part, list)}
    if all(isinstance(row, dict) for part in lists.values() for row in part[:1]):
        yield from _of_splits(lists)
        return
    if len({len(part) for part in lists.values()}) > 1:
        raise DatasetError(f"{path}: the columns {', '.join(map(repr, lists))} are not of one length")
    for cells in zip(*lists.values(), strict=True):
        yield dict(zip(lists, cells, strict=True))


def _by_key(value: Object) -> Iterator[object]:
    """Rows by key, or columns with a cell by key (pandas' default)."""
    parts = {name: part for name, part in value.items() if isinstance(part, dict)}
    keys = list(next(iter(parts.values())))
    is_by_column = all(list(part) == keys for part in parts.values()) and all(key.isdigit() for key in keys)
    if is_by_column and keys:
        yield from ({name: part[key] for name, part in parts.items()} for key in keys)
    else:
        yield from parts.values()


def _label_studio(task: Object, where: str, notes: Notes, *, wanted: Sequence[str]) -> Object:
    """A Label Studio task: its data, and under `label` (or the control's name) what its annotators chose."""
    answers: dict[str, list[object]] = {}
    given = task.get("annotations", task.get("completions"))
    for annotation in given if isinstance(given, list) else ():
        if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
            for result in annotation.get("result") or ():
                value = result.get("value") if isinstance(result, dict) else None
                if isinstance(value, dict) and "choices" in value:
                    answers.setdefault(str(result.get("from_name")), []).append(value["choices"])
    held = task["data"] if isinstance(task["data"], dict) else {}
    row: Object = {"data": held} if any(name.startswith("data.") for name in wanted) else dict(held)
    if "id" not in row and "id" in task:
        row["id"] = task["id"]
    if len(answers) == 1 and not any(name in answers for name in wanted):
        answers = {LABEL: next(iter(answers.values()))}
    return row | {name: _agreed(each, where, notes) for name, each in (answers or {LABEL: []}).items()}


def _prodigy(task: Object, where: str, notes: Notes, *, wanted: Sequence[str]) -> Object | None:
    """A Prodigy task: the options that were accepted, or its label; what was ignored or rejected is left out."""
    if task["answer"] != "accept":
        notes.add("left out", f"tasks whose answer in Prodigy is {str(task['answer'])[:20]!r}", where)
        return None
    row = {name: value for name, value in task.items() if name not in PRODIGY_OWN and not name.startswith("_")}
    column = "accept" if "accept" in wanted else LABEL
    return row | {column: _alone(task["accept"] if "accept" in task else task.get("label"))}


def _argilla(record: Object, where: str, notes: Notes, *, wanted: Sequence[str]) -> Object | None:
    """An Argilla record (versions 1 feedback and 2): its fields, and each question's submitted responses."""
    if record.get("status") == "discarded":
        notes.add("left out", "records that were discarded in Argilla", where)
        return None
    answers = _responses(record["responses"])
    fields = record["fields"] if isinstance(record["fields"], dict) else {}
    row: Object = {"fields": fields} if any(name.startswith("fields.") for name in wanted) else dict(fields)
    if "id" in record:
        row.setdefault("id", record["id"])
    if len(answers) == 1 and not any(name in answers for name in wanted):
        answers = {LABEL: next(iter(answers.values()))}
    return row | {name: _agreed(each, where, notes) for name, each in (answers or {LABEL: []}).items()}


def _responses(given: object) -> dict[str, list[object]]:
    """The submitted values by question, in either version's nesting."""
    answers: dict[str, list[object]] = {}
    if isinstance(given, dict):
        for question, responses in given.items():
            values = [r.get("value") for r in responses or () if isinstance(r, dict) and _is_submitted(r)]
            answers[str(question)] = values
    for response in given if isinstance(given, list) else ():
        given_values = response.get("values") if isinstance(response, dict) and _is_submitted(response) else None
        for question, held in given_values.items() if isinstance(given_values, dict) else ():
            answers.setdefault(str(question), []).append(held.get("value") if isinstance(held, dict) else held)
    return answers


def _is_submitted(response: Mapping[str, object]) -> bool:
    return response.get("status") in (None, "submitted")


def _old_argilla(record: Object, where: str, notes: Notes, *, wanted: Sequence[str]) -> Object | None:
    """An Argilla 1 (Rubrix) record of text classification: its text or inputs, and its annotation."""
    if str(record["status"]).lower() == "discarded":
        notes.add("left out", "records that were discarded in Argilla", where)
        return None
    inputs = record.get("inputs")
    row: Object = dict(inputs) if isinstance(inputs, dict) else {}
    row |= {name: record[name] for name in ("id", "text") if record.get(name) is not None}
    return row | {"annotation" if "annotation" in wanted else LABEL: record["annotation"]}


def _is_chat(row: Mapping[str, object]) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and any(isinstance(m, dict) and m.get("role") == "assistant" for m in messages)


def _chat(row: Object, _where: str, _notes: Notes) -> Object:
    """A training conversation: the last message of each role, under the role's name."""
    messages = row.get("messages")
    said = {
        str(message["role"]): message.get("content")
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, dict) and message.get("role") in ROLES
    }
    return {name: value for name, value in row.items() if name != "messages"} | said


def _agreed(answers: Sequence[object], where: str, notes: Notes) -> object:
    """The answer that all annotators gave; None where they differ, which is counted."""
    cells = [cell if isinstance(cell, list) else [cell] for cell in map(spelt, answers) if cell]
    if len({tuple(sorted(map(str, cell))) for cell in cells}) > 1:
        notes.add("noticed", DISAGREE, where, f"{cells[0]} and {cells[1]}")
        return None
    return _alone(cells[0]) if cells else None


def _alone(answer: object) -> object:
    """The one choice of a list of one; else what it is."""
    return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
