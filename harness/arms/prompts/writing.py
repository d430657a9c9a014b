"""The text of a prompt file, from its front matter and its template: what `files` reads back as the same."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import yaml

from harness.arms.prompts import files
from harness.arms.prompts.files import FewShot, FrontMatter, Making, Prompt
from harness.datasets.audit.twins import EQUAL
from harness.types import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 110


def child(parent: Prompt, version: str, source: str, header: FrontMatter | None = None) -> Prompt:
    """A version made of another one: its template is `source`, its front matter the parent's or another one.

    It names its parent. Raises `ConfigError` for a template that is mistaken.
    """
    said = replace(header or parent.header, parent=parent.version)
    return files.parse(text_of(said, source), parent.task, version, version)


def as_stored(content: str, task: str, version: str, id_: str) -> Prompt:
    """The stored prompt of that id. One from before `examples.near` could be said kept out equal texts alone."""
    prompt = files.parse(content, task=task, version=version, path=version)
    if prompt.id == id_:
        return prompt
    header = replace(prompt.header, examples=replace(prompt.header.examples, near=EQUAL))
    before = files.parse(text_of(header, prompt.template.source), task, version, version)
    return before if before.id == id_ else prompt


def text_of(header: FrontMatter, source: str) -> str:
    """The text of a prompt file; what is as it would be anyhow is not written."""
    said = _unlike(asdict(header), asdict(FrontMatter()))
    for name, default in (("model", Settings()), ("examples", FewShot()), ("made", Making())):
        if said.get(name) is not None:
            said[name] = _unlike(asdict(getattr(header, name)), asdict(default))
    lines = yaml.safe_dump(_plain(said), sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=None)
    return f"---\n{lines if said else ''}---\n{source}"


def _unlike(said: Mapping[str, object], default: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in said.items() if value != default[key]}


def _plain(value: object) -> object:
    """The value with lists in place of tuples, which YAML has not."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
