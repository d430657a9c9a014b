"""A promptfoo configuration, read into prompt templates and labelled rows.

Taken over: prompts written as text, as chat messages, or in a text or JSON file beside the configuration; tests
inline or in a YAML, JSON or CSV file; the label of a test is the value of its `equals` assertion. Providers, other
assertions and code are not: nothing in the file is run.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from harness.errors import ConfigError
from harness.prompts.files import PlainLoader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLE = re.compile(r"(\{\{-?\s*|\{%-?\s*(?:if|for\s+\w+\s+in)\s+)([A-Za-z_]\w*)")
EXPECTED = "__expected"
Cell = str | None
MAX_FILE_BYTES = 64 * 1024**2
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Config:
    """Messages per prompt, as (role, template) pairs, and the tests: place, variables and label."""

    prompts: tuple[tuple[tuple[str, str], ...], ...]
    tests: tuple[tuple[str, dict[str, Cell], str], ...]
    without_label: tuple[str, ...] = field(default=())

    @property
    def variables(self) -> list[str]:
        """The names of all variables."""
        return sorted({name for _, given, _ in self.tests for name in given})

    def templates(self, text: str) -> list[str]:
        """The prompts as files of ours, `text` being the variable that is the item's text."""
        return ["".join(_block(role, said, text) for role, said in messages) for messages in self.prompts]

    def text_variable(self, wanted: str | None) -> str:
        """The variable that is the item's text: the one that is wanted, or the only one beside `id`."""
        candidates = [name for name in self.variables if name != "id"]
        if wanted is None and len(candidates) == 1:
            return candidates[0]
        if wanted not in candidates:
            raise ConfigError(f"which variable is the item's text? give --text, one of {', '.join(candidates)}")
        return wanted


def read(path: Path) -> Config:
    """The configuration's prompts and tests; `ConfigError` says what cannot be taken over."""
    config = _mapping(_yaml(path), str(path))
    given = config.get("prompts")
    prompts = [_messages(one, path) for one in (given if isinstance(given, list) else [given])]
    tests, unlabelled = [], []
    shared = _mapping(config.get("defaultTest") or {}, f"{path}: defaultTest")
    for where, test in _tests(config.get("tests"), path):
        label = _label(test.get("assert"))
        variables = {**_mapping(shared.get("vars") or {}, where), **_mapping(test.get("vars") or {}, where)}
        cells = {str(name): _cell(value) for name, value in variables.items()}
        if label is None:
            unlabelled.append(where)
        else:
            tests.append((where, cells, label))
    if not prompts or not tests:
        raise ConfigError(f"{path}: found {len(prompts)} prompts and {len(tests)} tests with an `equals` assertion")
    return Config(tuple(prompts), tuple(tests), tuple(unlabelled))


def _tests(given: object, path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for number, test in enumerate(given if isinstance(given, list) else [given], start=1):
        if isinstance(test, str):
            yield from _tests_of_file(_beside(path, test))
        elif test is not None:
            yield f"{path}: test {number}", _mapping(test, f"{path}: test {number}")


def _tests_of_file(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                said = (row.pop(EXPECTED, None) or "").removeprefix("equals:").strip()
                wanted = [{"type": "equals", "value": said}] if said else []
                yield f"{path}:{number}", {"vars": row, "assert": wanted}
        return
    yield from _tests(_yaml(path), path)


def _label(assertions: object) -> str | None:
    for one in assertions if isinstance(assertions, list) else []:
        if isinstance(one, dict) and one.get("type") == "equals" and isinstance(one.get("value"), str | int):
            return str(one["value"])
    return None


def _messages(prompt: object, path: Path) -> tuple[tuple[str, str], ...]:
    said = (prompt.get("raw") or prompt.get("id")) if isinstance(prompt, dict) else prompt
    if isinstance(said, str) and said.startswith("file://"):
        file = _beside(path, said)
        if file.suffix not in (".txt", ".json", ".md"):
            raise ConfigError(f"{path}: prompt {said!r} is code or of an unknown form; expected text or chat messages")
        said = _text(file)
    if not isinstance(said, str):
        raise ConfigError(f"{path}: found the prompt {prompt!r}; expected text, or file://PATH")
    if not said.lstrip().startswith("["):
        return (("user", said.strip()),)
    try:
        chat = json.loads(said)
        return tuple((_role(str(one["role"]), path), str(one["content"])) for one in chat)
    except (ValueError, KeyError, TypeError, RecursionError):
        return (("user", said.strip()),)


def _role(role: str, path: Path) -> str:
    if role not in ROLES:
        raise ConfigError(f"{path}: a message has role {role!r}; expected {', '.join(ROLES)}")
    return role


def _block(role: str, said: str, text: str) -> str:
    def ours(found: re.Match[str]) -> str:
        name = found.group(2)
        return found.group(1) + ("item.text" if name == text else f"item.fields.{name}")

    return f"{{% block {role} %}}\n{VARIABLE.sub(ours, said)}\n{{% endblock %}}\n"


def _beside(config: Path, name: str) -> Path:
    path = config.parent / name.removeprefix("file://")
    if not path.resolve().is_relative_to(config.parent.resolve()):
        raise ConfigError(f"{config}: {name!r} leads out of its folder; copy the file in")
    if not path.is_file():
        raise ConfigError(f"{config}: {name!r}: there is no such file (a pattern or code is not taken over)")
    return path


def _yaml(path: Path) -> object:
    try:
        return yaml.load(_text(path), Loader=PlainLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path}: not plain YAML or JSON: {str(error).splitlines()[0]}") from None


def _text(path: Path) -> str:
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8") from None


def _mapping(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: found {type(value).__name__}; expected keys and values")
    return {str(key): one for key, one in value.items()}


def _cell(value: object) -> Cell:
    return None if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
