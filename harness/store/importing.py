"""Files of predictions, read by columns or by the tool that wrote them: the extension folder `importers`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.datasets import tables
from harness.errors import ConfigError, DatasetError
from harness.ground import plugins
from harness.store import matching

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.store.matching import Columns, Foreign

FOLDER = "importers"
FORMATS = plugins.names(FOLDER)
MAX_FILE_BYTES = 2 * 1024**3


def rows(
    path: Path, form: str | None, columns: Columns | None, variants: Mapping[str, str] | None = None
) -> Iterator[Foreign]:
    """The predictions of a file: by columns, or in the form of the tool that is named or recognised.

    Some tools give several answers to an item, which they call by what their importer says is its `VARIANT`;
    `variants` names the one that counts.
    """
    if columns is not None:
        _check_variants(variants or {}, None, "a table")
        return matching.foreign(tables.read(path, replace(columns.layout, wanted=columns.named)), columns, path)
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file")
    if path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
        raise DatasetError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    name = form or recognised(path)
    if name is None:
        _refuse_near_ones(path)
        raise ConfigError(
            f"{path}: not recognised as a result file of {', '.join(FORMATS)}; for a table, say which column holds the "
            "label: --prediction COL, and --id COL or --text COL; where it is one of theirs all the same, --format TOOL"
        )
    importer = plugins.load(FOLDER, name)
    variant = getattr(importer, "VARIANT", None)
    _check_variants(variants or {}, variant, name)
    found: Iterator[Foreign] = importer.rows(path, (variants or {}).get(variant)) if variant else importer.rows(path)
    return found


def _check_variants(variants: Mapping[str, str], known: str | None, name: str) -> None:
    for what in variants:
        if what != known:
            raise ConfigError(f"--{what} does not go with {name}, which has none")


def _refuse_near_ones(path: Path) -> None:
    """Raise `ConfigError` for what a tool writes beside the file that its importer reads, or in another form."""
    for name in FORMATS:
        instead = getattr(plugins.load(FOLDER, name), "instead", None)
        said = instead(path) if instead is not None else None
        if said is not None:
            raise ConfigError(f"{path}: {said}")


def recognised(path: Path) -> str | None:
    """The tool that wrote a file, by what stands at its beginning; None when no importer knows it."""
    return next((name for name in FORMATS if plugins.load(FOLDER, name).recognises(path)), None)
