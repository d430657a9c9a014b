"""A promptfoo configuration, read into prompt templates and labelled rows.

Taken over: prompts written as text, as chat messages, or in a text, JSON or YAML file beside the configuration (in a
text file, lines of `---` stand between prompts); tests inline or in a YAML, JSON, JSONL or CSV file; the label of a
test is the value of its `equals` assertion. Providers, other assertions and code are not: nothing in the file is run.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.arms.prompts import _promptfoo_files as files
from harness.arms.prompts import _promptfoo_tests
from harness.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = re.compile(r"(\{\{-?\s*|\{%-?\s*(?:if|for\s+\w+\s+in)\s+)([A-Za-z_]\w*)")
SEPARATOR = re.compile(r"(?m)^---[ \t]*\r?$")
FORMS = (".txt", ".json", ".md", ".yaml", ".yml")
LONGEST_NAME = 200
Cell = str | None
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
    config = files.mapping(files.plain(path), str(path))
    given = config.get("prompts")
    prompts = [_messages(said) for one in (given if isinstance(given, list) else [given]) for said in _texts(one, path)]
    rows = list(_promptfoo_tests.rows(config, path))
    tests = tuple((row.where, dict(row.cells), row.label) for row in rows if row.label is not None)
    if not prompts or not tests:
        raise ConfigError(f"{path}: found {len(prompts)} prompts and {len(tests)} tests with an `equals` assertion")
    _check_roles(prompts, path)
    return Config(tuple(prompts), tests, tuple(row.where for row in rows if row.label is None))


def _texts(prompt: object, path: Path) -> list[str]:
    """The prompts that an entry stands for: its text, or those of its file."""
    said = (prompt.get("raw") or prompt.get("id")) if isinstance(prompt, dict) else prompt
    if not isinstance(said, str):
        raise ConfigError(f"{path}: found the prompt {prompt!r}; expected text, or file://PATH")
    if not said.startswith(files.FILE) and not _is_file(path, said):
        return [said]
    file = files.beside(path, said)
    if file.suffix not in FORMS:
        raise ConfigError(f"{path}: prompt {said!r} is code or of an unknown form; expected text or chat messages")
    if file.suffix in (".yaml", ".yml"):
        return [json.dumps(files.plain(file))]
    text = files.text(file)
    return [one for one in SEPARATOR.split(text) if one.strip()] if file.suffix == ".txt" else [text]


def _is_file(path: Path, said: str) -> bool:
    """Whether a prompt is the name of a file beside the configuration, which may be given without `file://`."""
    is_name = said.endswith(FORMS) and len(said) < LONGEST_NAME and "\n" not in said
    return is_name and (path.parent / said).is_file()


def _messages(said: str) -> tuple[tuple[str, str], ...]:
    """The messages of a prompt: a chat in JSON, or one message of the user's."""
    if not said.lstrip().startswith("["):
        return (("user", said.strip()),)
    try:
        chat = json.loads(said)
        return tuple((str(one["role"]), str(one["content"])) for one in chat)
    except (ValueError, KeyError, TypeError, RecursionError):
        return (("user", said.strip()),)


def _check_roles(prompts: list[tuple[tuple[str, str], ...]], path: Path) -> None:
    for role in {role for messages in prompts for role, _ in messages}:
        if role not in ROLES:
            raise ConfigError(f"{path}: a message has role {role!r}; expected {', '.join(ROLES)}")


def _block(role: str, said: str, text: str) -> str:
    def ours(found: re.Match[str]) -> str:
        name = found.group(2)
        return found.group(1) + ("item.text" if name == text else f"item.fields.{name}")

    return f"{{% block {role} %}}\n{VARIABLE.sub(ours, said)}\n{{% endblock %}}\n"
