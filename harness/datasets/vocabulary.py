"""The labels and the splits of a whole file, decided on together: what is one spelling of which.

Only what cannot be two things is made one. `1.0` is `1` where all labels are whole numbers;
`TRUE` is `true` where both stand; `validation` is `dev` where nothing else is. Whatever a person
may have meant as two labels (`Refund` and `refund`) stays two, and is noticed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.datasets.problems import ImportProblem, listed, nearest
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.datasets.notes import Notes

WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
WHOLE_AS_FLOAT = re.compile(r"([+-]?[0-9]{1,15})\.0+")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
TRUTHS = ("true", "false")
MAYBE_MISSING = frozenset({"None", "NA", "-", "--", "?"})
MISSING_IN_ANY_CASE = frozenset({"nan", "null", "(null)", "<null>", "n/a", "n.a.", "nil"})
SPLIT_WORDS = {
    "train": ("train", "training", "trn"),
    "dev": ("dev", "development", "val", "valid", "validation"),
    "test": ("test", "testing", "tst"),
}
SPLIT_OF = {word: split for split, words in SPLIT_WORDS.items() for word in words}


@dataclass(slots=True)
class Seen:
    """How often a label or split stands in the file, and where first."""

    n: int
    where: str


def labels(seen: Mapping[str, Seen], relabel: Mapping[str, str], column: str, notes: Notes) -> dict[str, str | None]:
    """What each label becomes; None for one that is no label. `relabel` maps old names to new ones ('' to none).

    Raises `ImportProblem` for an old name that no row has.
    """
    final: dict[str, str | None] = {label: label for label in seen}
    final |= _spellings(seen, notes)
    spelt = dict(final)
    for old, new in relabel.items():
        concerned = [label for label in seen if old in (label, spelt[label])]
        if not concerned:
            near = nearest(old, list(seen))
            hint = f"; did you mean {near!r}?" if near else ""
            raise ImportProblem(
                f"--relabel: no row has the label {old!r} in column {column!r}; expected one of "
                f"{listed(sorted(seen))}{hint}"
            )
        for label in concerned:
            notes.add("repaired", f"labels {old!r} written {new!r}", seen[label].where, n=seen[label].n)
            final[label] = new or None
    _notice(seen, final, notes)
    return final


def _spellings(seen: Mapping[str, Seen], notes: Notes) -> dict[str, str | None]:
    """The labels that are another spelling of a number or a truth value, or NaN in a column of numbers."""
    changed = _truths(seen) | _whole_numbers(seen)
    words = [label for label in seen if not NUMBER.fullmatch(label)]
    if words and all(word.lower() == "nan" for word in words) and len(words) < len(seen):
        changed |= dict.fromkeys(words)
    for label, new in changed.items():
        if new is not None:
            notes.add("repaired", f"labels {label!r} written {new!r}", seen[label].where, n=seen[label].n)
    return changed


def _truths(seen: Iterable[str]) -> dict[str, str | None]:
    """Further spellings of `true` and `false`, to the first that stands in the file."""
    first: dict[str, str] = {}
    for label in seen:
        if label.lower() in TRUTHS:
            first.setdefault(label.lower(), label)
    return {label: first[label.lower()] for label in seen if label.lower() in TRUTHS and first[label.lower()] != label}


def _whole_numbers(seen: Iterable[str]) -> dict[str, str | None]:
    """`1.0` to `1`, where `1` stands too or all labels are whole numbers."""
    names = [label for label in seen if label.lower() != "nan"]
    are_whole = all(WHOLE.fullmatch(name) or WHOLE_AS_FLOAT.fullmatch(name) for name in names)
    changed: dict[str, str | None] = {}
    for name in names:
        hit = WHOLE_AS_FLOAT.fullmatch(name)
        if hit and (are_whole or hit.group(1) in names):
            changed[name] = hit.group(1)
    return changed


def _notice(seen: Mapping[str, Seen], final: Mapping[str, str | None], notes: Notes) -> None:
    kept = list(dict.fromkeys(name for name in final.values() if name is not None))
    by_case: dict[str, str] = {}
    for name in kept:
        where = next((seen[label].where for label, new in final.items() if new == name and label in seen), "")
        if name in MAYBE_MISSING or name.casefold() in MISSING_IN_ANY_CASE:
            advice = f"if it is, leave the rows out with --relabel {name}= --drop-unlabelled"
            n = sum(seen[label].n for label, new in final.items() if new == name and label in seen)
            notes.add("noticed", f"the label {name!r} may mean that there is none", where, advice, n)
        other = by_case.setdefault(name.casefold(), name)
        if other != name:
            advice = f"if they are one label: --relabel {name}={other}"
            notes.add("noticed", f"the labels {other!r} and {name!r} differ in case alone", where, advice)


def splits(seen: Mapping[str, Seen], notes: Notes) -> dict[str, str]:
    """What each name of a split becomes: train, dev or test where it is another word for it, else itself.

    Two different words for one split (`dev` and `validation`) are two splits, and stay as they are.
    """
    words = {raw: raw.strip().lower() for raw in seen}
    result = {}
    for raw, word in words.items():
        split = SPLIT_OF.get(word)
        others = {other for other in words.values() if SPLIT_OF.get(other) == split}
        result[raw] = split if split is not None and len(others) == 1 else raw.strip()
        if result[raw] != raw:
            notes.add("repaired", f"splits {raw!r} written {result[raw]!r}", seen[raw].where, n=seen[raw].n)
    return result


def relabelling(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The new names by the old ones; `DatasetError` when one old name has two new ones."""
    mapping: dict[str, str] = {}
    for old, new in pairs:
        was, becomes = (unicodedata.normalize("NFC", name).strip() for name in (old, new))
        if not was:
            raise DatasetError("--relabel: there is no old name; expected OLD=NEW")
        if mapping.setdefault(was, becomes) != becomes:
            raise DatasetError(f"--relabel: {was!r} is to become {mapping[was]!r} and {becomes!r}")
    return mapping
