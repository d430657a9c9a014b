"""The tests of a promptfoo configuration as rows: variables, and the label that an `equals` assertion asks for.

A test whose variables are lists is one test for each combination, as promptfoo runs it. What `defaultTest` says holds
for every test. A cell of `__expected` is an assertion of another type where it begins with that type's name.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from harness.arms.prompts import _promptfoo_files as files
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Cell = str | None
EQUALS = "equals"
EXPECTED = "__expected"
OPTION = "__"  # columns of a table that are no variables begin so
MOST_COMBINATIONS = 10_000
PLACEHOLDER = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}")
CODE = re.compile(r"(?:javascript|fn|eval|python|grade|llm-rubric):|file://")
TYPES = (
    "answer-relevance", "bleu", "classifier", "contains", "contains-all", "contains-any", "contains-html",
    "contains-json", "contains-sql", "contains-xml", "context-faithfulness", "context-recall", "context-relevance",
    "conversation-relevance", "cost", "equals", "f-score", "factuality", "finish-reason", "g-eval", "gleu",
    "guardrails", "icontains", "icontains-all", "icontains-any", "is-html", "is-json", "is-refusal", "is-sql",
    "is-valid-function-call", "is-valid-openai-function-call", "is-valid-openai-tools-call", "is-xml", "javascript",
    "latency", "levenshtein", "llm-rubric", "meteor", "model-graded-closedqa", "model-graded-factuality", "moderation",
    "perplexity", "perplexity-score", "pi", "python", "regex", "rouge-n", "ruby", "search-rubric", "similar",
    "similar:cosine", "similar:dot", "similar:euclidean", "skill-used", "starts-with", "tool-call-f1",
    "trace-error-spans", "trace-span-count", "trace-span-duration", "webhook", "word-count",
)  # fmt: skip
ASSERTION = re.compile(rf"(?s)(not-)?({'|'.join(map(re.escape, TYPES))})(?:\([0-9.]+\))?(?::(.*))?\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """A test: where it stands, its variables, and its label; None where it asks for none, or for two."""

    where: str
    cells: Mapping[str, Cell]
    label: str | None


def rows(config: Mapping[str, object], path: Path) -> Iterator[Row]:
    """The tests of a configuration, each combination of its variables on its own."""
    shared = config.get("defaultTest") or {}
    if isinstance(shared, str):
        shared = files.plain(files.beside(path, shared))
    default = files.mapping(shared, f"{path}: defaultTest")
    for where, test in _tests(config.get("tests"), path):
        named = {**_vars(default, where), **_vars(test, where)}
        assertions = [*_assertions(test), *_assertions(default)]
        for given in _combinations(named, where) if _expands(default, test) else [named]:
            yield _row(where, {name: _cell(value, name, where) for name, value in given.items()}, assertions)


def _row(where: str, cells: dict[str, Cell], assertions: list[dict[str, object]]) -> Row:
    values = [_scalar(one.get("value")) for one in assertions if one.get("type") == EQUALS]
    labels = {label for value in values if value is not None and (label := _filled(value, cells)) is not None}
    of_label = {name for value in values if value is not None for name in PLACEHOLDER.findall(value)}
    seen = {name: cell for name, cell in cells.items() if name not in of_label}  # an item must not hold its gold
    return Row(where, seen, labels.pop() if len(labels) == 1 else None)


def _filled(value: str, cells: Mapping[str, Cell]) -> str | None:
    """The value with the variables that it names; None where it is computed, or read from a file."""
    if CODE.match(value) or any((cells.get(name) or "").strip() == "" for name in PLACEHOLDER.findall(value)):
        return None
    filled = PLACEHOLDER.sub(lambda found: str(cells[found.group(1)]), value).strip()
    return None if "{{" in filled or "{%" in filled or not filled else filled


def _tests(given: object, path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for number, test in enumerate(given if isinstance(given, list) else [given], start=1):
        if isinstance(test, str):
            yield from _of_file(files.beside(path, test))
        elif test is not None:
            yield f"{path}: test {number}", files.mapping(test, f"{path}: test {number}")


def _of_file(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    if path.suffix != ".csv":
        yield from _tests(files.plain(path), path)
        return
    try:
        table = list(csv.DictReader(io.StringIO(files.text(path), newline="")))
    except csv.Error as error:
        raise ConfigError(f"{path}: not a table: {error}") from None
    for number, row in enumerate(table, start=2):
        named = {name: cell for name, cell in row.items() if isinstance(name, str)}  # others lie beyond the header
        said = [(cell or "").strip() for name, cell in named.items() if name.startswith(EXPECTED)]
        cells = {name: cell for name, cell in named.items() if not name.startswith(OPTION)}
        yield f"{path}:{number}", {"vars": cells, "assert": [_of_cell(cell) for cell in said if cell]}


def _of_cell(said: str) -> dict[str, object]:
    """The assertion that a cell of `__expected` is: without the name of a type before it, that the output equals it."""
    if CODE.match(said):
        return {"type": "code"}
    found = ASSERTION.match(said)
    if found is None:
        return {"type": EQUALS, "value": said}
    negated, kind, value = found.groups()
    return {"type": f"{negated or ''}{kind}", "value": (value or "").strip()}


def _assertions(test: Mapping[str, object]) -> list[dict[str, object]]:
    given = test.get("assert")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _vars(test: Mapping[str, object], where: str) -> dict[str, object]:
    return files.mapping(test.get("vars") or {}, where)


def _expands(*tests: Mapping[str, object]) -> bool:
    options = [test.get("options") for test in tests]
    return not any(isinstance(one, dict) and one.get("disableVarExpansion") is True for one in options)


def _combinations(named: Mapping[str, object], where: str) -> Iterator[dict[str, object]]:
    """Each choice of one value from every list among the variables."""
    lists = [value if isinstance(value, list) else [value] for value in named.values()]
    if prod(map(len, lists)) > MOST_COMBINATIONS:
        raise ConfigError(f"{where}: its lists make more than {MOST_COMBINATIONS:,} tests")
    return (dict(zip(named, values, strict=True)) for values in product(*lists))


def _cell(value: object, name: str, where: str) -> Cell:
    if isinstance(value, str) and value.startswith(files.FILE):
        raise ConfigError(
            f"{where}: variable {name!r} is read from {value}, which is not taken over; write its text there"
        )
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _scalar(value: object) -> str | None:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return value if isinstance(value, str) else None
