"""What is kept of a fitted classifier: a description and arrays, as two files that hold no code.

JSON, and numpy's npz read without pickle. The same state is the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from harness.errors import StoreError
from harness.ground import private

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORM = 1
SPEC, NUMBERS, HASHES = "model.json", "numbers.npz", "sha256.json"


@dataclass(frozen=True, slots=True)
class State:
    """A fitted classifier: `spec` names its kind, its classes and its settings, `arrays` are its numbers."""

    spec: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def inside(self, spec: Mapping[str, Any]) -> State:
        """The state of a classifier around this one."""
        return State({**spec, "of": self.spec}, {f"of/{name}": array for name, array in self.arrays.items()})


@runtime_checkable
class Keepable(Protocol):
    """A fitted classifier that can say what it has learnt."""

    def state(self) -> State | None:
        """What it has learnt; None when it holds something that has no such form."""
        ...


def state_of(classifier: object) -> State | None:
    """What a fitted classifier has learnt, or None where it has no form that can be kept."""
    return classifier.state() if isinstance(classifier, Keepable) else None


def as_bytes(state: State) -> dict[str, bytes]:
    """The two files of a state."""
    numbers = io.BytesIO()
    np.savez(numbers, allow_pickle=False, **{name: state.arrays[name] for name in sorted(state.arrays)})
    # Half a character, which a text may hold, is kept by its escape.
    spec = json.dumps(state.spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return {SPEC: spec.encode("ascii") + b"\n", NUMBERS: numbers.getvalue()}


def of_bytes(spec: bytes, numbers: bytes) -> State:
    """The state of the two files; `ValueError` when they are none."""
    with np.load(io.BytesIO(numbers), allow_pickle=False) as arrays:
        return State(json.loads(spec), {name: arrays[name] for name in arrays.files})


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Keep files in a folder of their own: it is there whole, or not at all. One that is there stays."""
    if folder.exists():
        return
    with private.files():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        for name, content in {**files, HASHES: json.dumps(hashes, sort_keys=True).encode()}.items():
            (unfinished / name).write_bytes(content)
        try:
            unfinished.rename(folder)
        except OSError:  # another process was faster
            for path in unfinished.glob("*"):
                path.unlink()
            unfinished.rmdir()


def read(folder: Path) -> dict[str, bytes] | None:
    """The files of a folder, or None where there is none; `StoreError` names one that was changed."""
    if not folder.is_dir():
        return None
    try:
        hashes = json.loads((folder / HASHES).read_bytes())
        files = {name: (folder / name).read_bytes() for name in hashes}
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder} cannot be read ({error}); delete it, it is fitted again") from None
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != hashes[name]:
            raise StoreError(f"{folder / name} is not as it was written; delete {folder}, it is fitted again")
    return files
