"""Public datasets by recipe: from their address or a local copy, checked byte for byte.

A recipe file offers `SOURCE` (who made the data, and its licence), `FILES` (name, address and
sha256 of each file), `SPEC` (name, columns, label descriptions) and `rows(files)`, which turns
the files' bytes into rows. Optional: `EXTRA`, names of files that lie beside the rows.
"""

from __future__ import annotations

import hashlib
import urllib.request
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.datasets.importing import import_rows
from harness.errors import DatasetError
from harness.ground import plugins

if TYPE_CHECKING:
    from pathlib import Path

    from harness.datasets.import_spec import ImportSpec

MAX_DOWNLOAD_BYTES = 64 * 1024**2
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a recipe: its name in a local copy, where it comes from, and what it must hash to."""

    name: str
    url: str
    sha256: str


def fetch(root: Path, recipe: str, source_dir: Path | None = None) -> list[Path]:
    """The folders of the versions that a recipe makes; raises `DatasetError` on any other bytes than the recipe's."""
    module = plugins.load("datasets/recipes", recipe.replace("_", "-"))
    files = {file.name: _content(file, recipe, source_dir) for file in module.FILES}
    spec: ImportSpec = replace(module.SPEC, source=module.SOURCE)
    extra = {name: files[name] for name in getattr(module, "EXTRA", ())}
    return [import_rows(root, spec, module.rows(files), extra, origin=", ".join(files))]


def _content(file: RemoteFile, recipe: str, source_dir: Path | None) -> bytes:
    if source_dir is not None:
        path = source_dir / file.name
        if not path.is_file():
            raise DatasetError(f"{path}: there is no such file; the recipe {recipe!r} needs it in --from {source_dir}")
        content, where = path.read_bytes(), str(path)
    else:
        content, where = _download(file), file.url
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DatasetError(f"{where}: sha256 is {found}; the recipe {recipe!r} expects {file.sha256}")
    return content


def _download(file: RemoteFile) -> bytes:
    request = urllib.request.Request(file.url, headers={"User-Agent": "prompt-harness"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            content: bytes = response.read(MAX_DOWNLOAD_BYTES + 1)
    except OSError as error:  # URLError and time-outs are OSErrors
        raise DatasetError(
            f"{file.url} cannot be fetched: {error}; download it by other means and give its folder with --from DIR"
        ) from None
    if len(content) > MAX_DOWNLOAD_BYTES:
        raise DatasetError(f"{file.url} is larger than {MAX_DOWNLOAD_BYTES:,} bytes")
    return content
