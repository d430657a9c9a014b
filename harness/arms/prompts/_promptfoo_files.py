"""The files of a promptfoo configuration: read as text, YAML or JSON, from its own folder only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from harness.arms.prompts.files import PlainLoader
from harness.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "file://"
MAX_FILE_BYTES = 64 * 1024**2


def beside(config: Path, name: str) -> Path:
    """A file that a configuration names; `ConfigError` where it is none, or lies elsewhere."""
    path = config.parent / name.removeprefix(FILE)
    if not path.resolve().is_relative_to(config.parent.resolve()):
        raise ConfigError(f"{config}: {name!r} leads out of its folder; copy the file in")
    if not path.is_file():
        raise ConfigError(f"{config}: {name!r}: there is no such file (a pattern or code is not taken over)")
    return path


def plain(path: Path) -> object:
    """The value of a YAML or JSON file; of JSONL, the list of its lines."""
    try:
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in text(path).splitlines() if line.strip()]
        return yaml.load(text(path), Loader=PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not plain YAML or JSON: {str(error).splitlines()[0]}") from None


def text(path: Path) -> str:
    """A file's text."""
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8") from None


def mapping(value: object, where: str) -> dict[str, object]:
    """The value, if it has keys and values."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: found {type(value).__name__}; expected keys and values")
    return {str(key): one for key, one in value.items()}
