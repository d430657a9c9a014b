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

from harness.arms.prompts.sandbox import MAX_BLOCK_CHARS, BoundedEnvironment
from harness.errors import ConfigError, one_of
from harness.types import Message, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2.runtime import Context

    from harness.types import Example, Item, Label

ROLES: tuple[Role, ...] = ("system", "user", "assistant")
VISIBLE = "item.text, item.tags, item.fields, labels, examples and task"
ITS_OWN = {"item", "examples", "self"}  # names by which a block comes to say something else for each item
CHANCE = {"random", "lipsum"}


class Template:
    """A prompt's template. `path` and `first_line` (of the file) serve error messages."""

    def __init__(self, source: str, path: str, first_line: int = 1) -> None:
        self.source = source
        self._path = path
        self._offset = first_line - 1
        self._shared: set[str] = set()
        environment = BoundedEnvironment(
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
        self._globals = dict(self._compiled.globals)
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
        """The messages for one item: see `Phrasing`, which is faster for many."""
        return Phrasing(self, labels, task, aliases).messages(item, examples)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that have a block, in the order of their messages."""
        return tuple(role for role in ROLES if role in self._compiled.blocks)

    def is_shared(self, role: Role) -> bool:
        """Whether a block says the same for every item: it names neither item nor examples, and draws no lots."""
        return role in self._shared

    def context(self, seen: Mapping[str, object]) -> Context:
        """What the blocks of one item's messages see; what a block sets is its own."""
        # Jinja would look through its globals one by one for each item.
        return self._compiled.new_context({**self._globals, **seen}, shared=True)

    def render(self, role: Role, context: Context) -> str:
        """A block's text; `ConfigError` with file and line."""
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
            if not _named_in(node) & (ITS_OWN | CHANCE):
                self._shared.add(node.name)
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


class Shown(dict[str, object]):
    """What a template sees of a label, an item or an example: printed as a whole it is its name, or its text."""

    def __init__(self, chief: str, seen: Mapping[str, object]) -> None:
        super().__init__(seen)
        self._chief = chief

    def __str__(self) -> str:
        return str(self[self._chief])

    __repr__ = __str__


class Phrasing:
    """A template with the labels and the task filled in; an item completes it.

    `aliases` are the labels' short names by label, for `output: choice`; without them a template that
    shows an alias is mistaken. What a block says for every item it is asked to say once.
    """

    def __init__(
        self, template: Template, labels: Sequence[Label], task: str, aliases: Mapping[str, str] | None = None
    ) -> None:
        self._template = template
        self._aliases = aliases
        named = [Shown("name", _said(label) | _alias(label.name, aliases)) for label in labels]
        self._seen = {"labels": named, "task": task}
        self._rendered: dict[Role, str] = {}

    def messages(self, item: Item, examples: Sequence[Example] = ()) -> tuple[Message, ...]:
        """The messages for one item; a template's mistake is a `ConfigError` with file and line."""
        shown = [
            Shown("text", _plain(example.item) | {"label": example.label} | _alias(example.label, self._aliases))
            for example in examples
        ]
        context = self._template.context(self._seen | {"item": Shown("text", _plain(item)), "examples": shown})
        rendered = [(role, self._content(role, context)) for role in self._template.roles]
        return tuple(Message(role, content) for role, content in rendered if content)

    def _content(self, role: Role, context: Context) -> str:
        if not self._template.is_shared(role):
            return self._template.render(role, context)
        if role not in self._rendered:
            self._rendered[role] = self._template.render(role, context)
        return self._rendered[role]


def _named_in(block: nodes.Block) -> set[str]:
    """Every name, filter and constant in a block: more than it can refer to."""
    names = {node.name for node in block.find_all(nodes.Name)} | {node.name for node in block.find_all(nodes.Filter)}
    return names | {node.value for node in block.find_all(nodes.Const) if isinstance(node.value, str)}


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
