"""Prompt files: found by version or path, read, checked, and identified by what they say.

A file is YAML front matter between `---` lines, then a Jinja template whose blocks are the
messages. Rendering lives next door; this module never sees an item.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from harness.arms.prompts.rendering import Template
from harness.datasets.audit.subject import DEFAULT
from harness.datasets.audit.twins import EQUAL
from harness.datasets.replies import ANSWER
from harness.errors import ConfigError, one_of
from harness.ground.ids import content_id
from harness.ground.validation import validated
from harness.ground.workspace import checked_name
from harness.types import JSON, ReplyMode, Settings

Selection = Literal["none", "fixed", "random", "stratified", "knn"]
NEAR = DEFAULT.cosine
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
FieldType = Literal["string", "number", "integer", "boolean"]
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
PLAIN = re.compile(r"v[0-9]+[A-Za-z0-9-]*")  # YAML reads it as text
MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class FewShot:
    """Which training items a prompt shows: how they are chosen, how many, or their ids.

    An example is near an item, and not shown for it, from the cosine `near` on, by the n-grams of `dataset audit
    --near-by-train`; 1 keeps out equal texts alone.
    """

    how: Selection = "none"
    k: Annotated[int, Field(ge=0, le=1000)] = 0
    ids: tuple[str, ...] = ()
    encoder: str = "minilm"
    seed: int = 0
    near: Annotated[float, Field(ge=0.5, le=EQUAL)] = NEAR


@dataclass(frozen=True, slots=True)
class Making:
    """How a version was found by a search: by what, with which model's proposals, from how many variants.

    `cost_usd` was billed until it was chosen on the split `chosen_on`. The training items `learnt_from` were shown to
    the model that proposed: they are none of its examples, and are not scored.
    """

    by: str = ""
    model: str = ""
    cost_usd: float | None = None
    variants: int = 0
    seed: int = 0
    chosen_on: str = ""
    learnt_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands between the `---` lines of a prompt file; every key has a default.

    With `output: choice`, `rotations` is the number of orders in which the labels are shown, and
    `votes` how often a model without log-probabilities is asked in each of them. With `output: json`,
    `fields` are what the model says before the label, by name, with their types.
    """

    description: str = ""
    parent: str | None = None
    output: ReplyMode = "label"
    pattern: str | None = None
    rotations: Annotated[int, Field(ge=1, le=100)] = 2
    votes: Annotated[int, Field(ge=1, le=100)] = 5
    fields: dict[str, FieldType] = field(default_factory=dict)
    model: Settings = field(default_factory=Settings)
    examples: FewShot = field(default_factory=FewShot)
    made: Making | None = None

    @property
    def learnt_from(self) -> frozenset[str]:
        """The ids of the training items that the prompt was written from."""
        return frozenset() if self.made is None else frozenset(self.made.learnt_from)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt version. `id` hashes what it says: template, output, model settings and examples.

    The file's name, its description, its parent and how it was made do not change the id: renaming a prompt
    does not make it another one. `content` is the whole file.
    """

    id: str
    task: str
    version: str
    header: FrontMatter
    template: Template = field(repr=False)
    content: str = field(repr=False)


def versions(root: Path, task: str) -> list[str]:
    """The prompt versions of a task, in natural order (v2 before v10)."""
    folder = root / "prompts" / checked_name(task, "task")
    return sorted((path.stem for path in folder.glob("*.j2")), key=_natural)


def tasks(root: Path) -> list[str]:
    """The tasks that have prompts."""
    return sorted({path.parent.name for path in (root / "prompts").glob("*/*.j2")})


def path_of(root: Path, task: str, name: str) -> Path:
    """The file of a prompt: by version (`v3`, under prompts/<task>/) or by path to a `.j2` file."""
    return _by_path(root, name) if name.endswith(".j2") else _by_version(root, task, name)


def load(root: Path, task: str, name: str) -> Prompt:
    """A prompt by version or by path; see `path_of`."""
    path = path_of(root, task, name)
    return parse(_read(path), task=task, version=path.stem, path=str(path))


def parse(text: str, task: str, version: str, path: str) -> Prompt:
    """The prompt that a file's text describes; `ConfigError` names file, line and key."""
    found = FRONT_MATTER.match(text)
    header = _front_matter(found.group(1), path) if found else FrontMatter()
    end = found.end() if found else 0
    template = Template(text[end:].replace("\r\n", "\n"), path, first_line=text[:end].count("\n") + 1)
    if header.output == "choice" and "alias" not in template.source:
        raise ConfigError(
            f"{path}: `output: choice` is answered with a label's alias, and the template shows none; "
            "for instance {% for label in labels %}{{ label.alias }}: {{ label.name }} {% endfor %}"
        )
    said = _identity(header) | {"template": template.source, "description": None, "parent": None}
    return Prompt(content_id(said), task, version, header, template, text)


def with_parent(prompt: Prompt) -> str:
    """The text of a copy that names the prompt as its parent; `ConfigError` where its front matter has no lines."""
    found = FRONT_MATTER.match(prompt.content)
    said = prompt.version if PLAIN.fullmatch(prompt.version) else json.dumps(prompt.version)
    line = f"parent: {said}\n"
    lines = [] if found is None else found.group(1).splitlines(keepends=True)
    places = [i for i, one in enumerate(lines) if one.startswith("parent:")] or [len(lines)]
    lines[places[0] : places[0] + 1] = [line]
    text = f"---\n{''.join(lines)}---\n{prompt.content[found.end() if found else 0 :]}"
    if parse(text, prompt.task, prompt.version, "the copy").header.parent != prompt.version:
        raise ConfigError(f"{prompt.version}: `parent` cannot be added to its front matter; copy the file by hand")
    return text


def _identity(header: FrontMatter) -> dict[str, JSON]:
    """What of the front matter changes the answers: `rotations`, `votes` and `fields` only where they are used.

    So too what it learnt from: only where examples are shown, of which those items are none. `near` is left out
    where only equal texts are kept out: so were they before it could be said.
    """
    said: dict[str, JSON] = asdict(header)
    if header.examples.how == "none" or header.examples.near == EQUAL:
        said["examples"] = {key: value for key, value in asdict(header.examples).items() if key != "near"}
    unused = () if header.output == "choice" else ("rotations", "votes")
    fields: list[JSON] = [[name, of] for name, of in header.fields.items()]  # in their order, which is the reply's
    barred: list[JSON] = [*sorted(header.learnt_from)] if header.examples.how != "none" else []
    used = {name: value for name, value in (("fields", fields), ("barred", barred)) if value}
    return {key: value for key, value in said.items() if key not in (*unused, "fields", "made")} | used


def _by_path(root: Path, name: str) -> Path:
    for path in (Path(name), root / name):
        if path.is_file():
            return path
    raise ConfigError(f"prompt {name!r}: there is no such file")


def _by_version(root: Path, task: str, name: str) -> Path:
    path = root / "prompts" / checked_name(task, "task") / f"{checked_name(name, 'prompt version')}.j2"
    if not path.is_file():
        raise ConfigError(f"there is no prompt {name!r} in {path.parent}; {one_of(name, versions(root, task))}")
    return path


def _front_matter(text: str, path: str) -> FrontMatter:
    try:
        value = yaml.load(text, Loader=PlainLoader) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 2}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ConfigError(f"{path}{line}: the front matter is not plain YAML: {problem}") from None
    if isinstance(value, dict) and isinstance(value.get("examples"), str):
        value["examples"] = {"how": value["examples"]}
    header = validated(FrontMatter, value, f"{path}: front matter")
    _check(header, path)
    return header


def _check(header: FrontMatter, path: str) -> None:
    if (header.output == "text") != (header.pattern is not None):
        raise ConfigError(f"{path}: `pattern` goes with `output: text`, and `output: text` needs one")
    if header.fields and header.output != "json":
        raise ConfigError(f"{path}: `fields` are what a JSON answer says before its label; they go with `output: json`")
    for name in header.fields:
        if not FIELD_NAME.match(name) or name.casefold() == ANSWER:
            raise ConfigError(
                f"{path}: field {name!r}; expected letters, digits and _, and another name than {ANSWER!r}"
            )
    how, k, ids = header.examples.how, header.examples.k, header.examples.ids
    if how in ("random", "stratified", "knn") and not k:
        raise ConfigError(f"{path}: examples.how {how!r} needs k, from 1 to 1000")
    if (how == "fixed") != bool(ids):
        raise ConfigError(f"{path}: examples.ids goes with `how: fixed`, and `how: fixed` needs ids")


class PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases: 300 bytes of them can describe more than memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The node, unless it is an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def _read(path: Path) -> str:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: {path.stat().st_size:,} bytes; a prompt has at most {MAX_FILE_BYTES:,}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8") from None


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
