"""A shipped folder, read once and checked byte by byte. This file goes into shipped folders as it is: no library.

`manifest.json` has the SHA-256 of every other file, in one spelling, so that no byte of it can change unseen either.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

MANIFEST = "manifest.json"


class Damaged(ValueError):
    """A folder is not as it was shipped; the message names the file."""


def manifest_of(files: dict[str, bytes]) -> bytes:
    """The manifest of the files of a folder."""
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    return json.dumps({"files": hashes}, indent=1, sort_keys=True).encode("ascii") + b"\n"


def hashes(folder: Path) -> dict[str, str]:
    """What was shipped into a folder, by name with its SHA-256; nothing where its manifest cannot be read."""
    try:
        found = json.loads(_content(folder, MANIFEST))["files"]
        return {str(name): str(value) for name, value in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def checked_files(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name; `Damaged` names the first that is missing, changed or not a part of it."""
    files: dict[str, bytes] = {}
    content = _content(folder, MANIFEST)
    try:
        hashes = json.loads(content)["files"]
        spelt = json.dumps({"files": hashes}, indent=1, sort_keys=True).encode("ascii") + b"\n"
        names = sorted(hashes)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Damaged(f"{folder / MANIFEST} was changed: it is no manifest") from None
    if content != spelt or any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
        raise Damaged(f"{folder / MANIFEST} was changed: it is not spelt as it was written")
    for name in names:
        files[name] = _content(folder, name)
        if hashlib.sha256(files[name]).hexdigest() != hashes[name]:
            raise Damaged(f"{folder / name} was changed: its SHA-256 is not that in {MANIFEST}; ship it again")
    return files


def _content(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise Damaged(f"{folder / name} cannot be read: {error.strerror or error}") from None
