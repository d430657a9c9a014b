"""`--label-mix`: the shares of labels in production, typed or from a file."""

from __future__ import annotations

import csv
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

OPTION, FORM = "--label-mix", "LABEL=SHARE"


def parsed(given: Sequence[str], labels: Collection[str]) -> dict[str, float]:
    """The shares by label: one of each LABEL=SHARE, or of a CSV file of label and count, whose counts are divided."""
    mix: dict[str, float] = {}
    for text in given:
        is_typed = text.rpartition("=")[0] in labels or not Path(text).is_file()
        for label, share in [_share(text, labels)] if is_typed else _of_file(Path(text), labels):
            if label in mix:
                raise ConfigError(f"{OPTION} {text!r}: {label!r} has a share already; give each label once")
            mix[label] = share
    return mix


def named(text: str, option: str, form: str, known: Collection[str]) -> tuple[str, float]:
    """The two sides of NAME=NUMBER; `ConfigError` unless the name is known and the number is one."""
    name, _, number = text.rpartition("=")
    if name not in known:
        raise ConfigError(f"{option} {text!r}: expected {form}; {one_of(name, known)}")
    try:
        return name, float(number)
    except ValueError:
        raise ConfigError(f"{option} {text!r}: {number!r} is not a number; expected {form}") from None


def _share(text: str, labels: Collection[str]) -> tuple[str, float]:
    if "=" not in text:
        raise ConfigError(f"{OPTION} {text!r}: no such file; expected {FORM}, or a CSV file of label and share")
    label, share = named(text, OPTION, FORM, labels)
    if not 0 <= share <= 1:
        raise ConfigError(f"{OPTION} {text!r}: found {share:g}; expected a share from 0 to 1")
    return label, share


def _of_file(path: Path, labels: Collection[str]) -> list[tuple[str, float]]:
    try:
        rows = [row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{OPTION} {path}: {error}; expected a CSV file of label and count") from None
    found = []
    for line, row in enumerate(rows, 1):
        if len(row) != 2:
            raise ConfigError(f"{OPTION} {path}, row {line}: found {len(row)} columns; expected label and count")
        label, number = row[0].strip(), _number(row[1])
        if line == 1 and number is None and label not in labels:
            continue  # the header
        if label not in labels:
            raise ConfigError(f"{OPTION} {path}, row {line}: {one_of(label, labels)}")
        if number is None or number < 0:
            raise ConfigError(f"{OPTION} {path}, row {line}: found {row[1]!r}; expected a count or a share")
        found.append((label, number))
    total = sum(number for _, number in found)
    if not total > 0:
        raise ConfigError(f"{OPTION} {path}: no label has a count; expected rows of label and count")
    return [(label, number / total) for label, number in found]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
