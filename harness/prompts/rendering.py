"""Templates: compiled once, rendered once per item, in Jinja's immutable sandbox.

Undefined names are errors, templates see plain data only, and what a dataset row says is never
read as template syntax. The sandbox is depth, not a boundary: a prompt is code and deserves the
review that code gets.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.errors import ConfigError, one_of
from harness.types import Message, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2.runtime import Context

    from harness.types import Example, Item, Label

ROLES: tuple[Role, ...] = ("system", "user", "assistant")
VISIBLE = "item.text, item.tags, item.fields, labels, examples and task"
MAX_BLOCK_CHARS = 1_000_000


class Template:
    """A prompt's template. `path` and `first_line` (of the file) serve error messages."""

    def __init__(self, source: str, path: str, first_line: int = 1) -> None:
        self.source = source
        self._path = path
        self._offset = first_line - 1
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            finalize=_defined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        try:
            for node in environment.parse(source).body:
                self._check_top_level(node)
            self._compiled = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise ConfigError(f"{path}:{error.lineno + self._offset}: {_reason(error)}") from None
        if "user" not in self._compiled.blocks:
            raise ConfigError(f"{path}: there is no {{% block user %}}; the item goes there")

    def messages(
        self,
        item: Item,
        labels: Sequence[Label],
        task: str,
        examples: Sequence[Example] = (),
        aliases: Mapping[str, str] | None = None,
    ) -> tuple[Message, ...]:
        """The messages for one item; a template's mistake is a `ConfigError` with file and line.

        `aliases` are the labels' short names by label, for `output: choice`; without them a
        template that shows an alias is mistaken.
        """
        seen: dict[str, object] = {
            "item": _plain(item),
            "labels": [_said(label) | _alias(label.name, aliases) for label in labels],
            "task": task,
            "examples": [
                _plain(example.item) | {"label": example.label} | _alias(example.label, aliases) for example in examples
            ],
        }
        context = self._compiled.new_context(seen)  # one for all blocks: what a block sets is its own
        rendered = [(role, self._render(role, context)) for role in ROLES if role in self._compiled.blocks]
        return tuple(Message(role, content) for role, content in rendered if content)

    def _render(self, role: Role, context: Context) -> str:
        try:
            return self._joined(role, context).strip()
        except ConfigError:
            raise
        except SecurityError as error:
            raise ConfigError(f"{self._where(error)}: the sandbox refuses this: {_reason(error)}") from None
        except TemplateError as error:
            raise ConfigError(f"{self._where(error)}: {_reason(error)}; templates see {VISIBLE}") from None
        except (TypeError, ValueError, ArithmeticError, LookupError, MemoryError, RecursionError) as error:
            # What a template's own expressions can raise: `{{ 1 / 0 }}`, `{{ item.tags[9] }}`.
            raise ConfigError(f"{self._where(error)}: {_reason(error)}") from None

    def _joined(self, role: Role, context: Context) -> str:
        parts, size = [], 0
        for part in self._compiled.blocks[role](context):
            size += len(part)
            if size > MAX_BLOCK_CHARS:
                raise ConfigError(f"{self._path}: block {role!r} is longer than {MAX_BLOCK_CHARS:,} characters")
            parts.append(part)
        return "".join(parts)

    def _check_top_level(self, node: nodes.Node) -> None:
        where = f"{self._path}:{node.lineno + self._offset}"
        if isinstance(node, nodes.Block):
            if node.name not in ROLES:
                raise ConfigError(f"{where}: block {node.name!r} is no message; {one_of(node.name, ROLES)}")
            return
        is_blank = isinstance(node, nodes.Output) and all(
            isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes
        )
        if not is_blank:
            raise ConfigError(
                f"{where}: this stands outside the blocks and would never be sent; "
                "put it into {% block system %}, {% block user %} or {% block assistant %}"
            )

    def _where(self, error: BaseException) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == "<template>" and frame.lineno]
        if not lines:
            return self._path
        return f"{self._path}:{self._compiled.get_corresponding_lineno(lines[-1]) + self._offset}"


def _defined(value: object) -> object:
    # A list prints its members by `repr`, which is silent about undefined ones.
    for part in value if isinstance(value, list | tuple) else ():
        if isinstance(part, Undefined):
            str(part)  # raises, naming it
    return value


def _alias(label: str, aliases: Mapping[str, str] | None) -> dict[str, str]:
    return {"alias": aliases[label]} if aliases and label in aliases else {}


def _said(label: Label) -> dict[str, str]:
    return {"name": label.name, "description": label.description}


def _plain(item: Item) -> dict[str, object]:
    return {"text": item.text, "tags": list(item.tags), "fields": dict(item.fields)}


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
