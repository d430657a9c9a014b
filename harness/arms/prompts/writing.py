"""The text of a prompt file, from its front matter and its template: what `files` reads back as the same."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import yaml

from harness.arms.prompts import files
from harness.arms.prompts.files import FewShot, FrontMatter, Making, Prompt
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
