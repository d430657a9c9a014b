"""Public datasets by recipe: from their address or a local copy, checked byte for byte.

A recipe file offers `SOURCE` (who made the data, and its licence), `FILES` (name, address and
sha256 of each file), `SPEC` (name, columns, label descriptions) and `rows(files)`, which turns
the files' bytes into rows. Optional: `EXTRA`, names of files that lie beside the rows; `descriptions(files)`, what the
files say of the labels.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
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
ARCHIVE = ".tar.gz"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a recipe: its name in a local copy, where it comes from, and what it must hash to.

    The address may be that of a .tar.gz that holds a file of this name. A file that `is_derived` was put together out
    of several at the address, so it comes from a local copy alone.
    """

    name: str
    url: str
    sha256: str
    is_derived: bool = False


def fetch(root: Path, recipe: str, source_dir: Path | None = None) -> list[Path]:
    """The folders of the versions that a recipe makes; raises `DatasetError` on any other bytes than the recipe's."""
    module = plugins.load("datasets/recipes", recipe.replace("_", "-"))
    files = {file.name: _content(file, recipe, source_dir) for file in module.FILES}
    labels = module.descriptions(files) if hasattr(module, "descriptions") else module.SPEC.labels
    spec: ImportSpec = replace(module.SPEC, source=module.SOURCE, labels=labels)
    extra = {name: files[name] for name in getattr(module, "EXTRA", ())}
    return [import_rows(root, spec, module.rows(files), extra, origin=", ".join(files))]


def _content(file: RemoteFile, recipe: str, source_dir: Path | None) -> bytes:
    if source_dir is not None:
        path = source_dir / file.name
        if not path.is_file():
            raise DatasetError(f"{path}: there is no such file; the recipe {recipe!r} needs it in --from {source_dir}")
        content, where = path.read_bytes(), str(path)
    else:
        if file.is_derived:
            raise DatasetError(
                f"{file.name} is put together out of several files of {file.url}; give its folder with --from DIR"
            )
        content, where = _download(file), file.url
        content = member(content, file.name, where) if file.url.endswith(ARCHIVE) else content
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DatasetError(f"{where}: sha256 is {found}; the recipe {recipe!r} expects {file.sha256}")
    return content


def member(archive: bytes, name: str, where: str) -> bytes:
    """The file of that name in a .tar.gz; `DatasetError` where there is none, or it is too large."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
            for one in opened:
                if one.isfile() and one.name.rpartition("/")[2] == name and one.size <= MAX_DOWNLOAD_BYTES:
                    held = opened.extractfile(one)
                    return b"" if held is None else held.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"{where} is no readable .tar.gz: {error}") from None
    raise DatasetError(f"{where} holds no file {name!r} of at most {MAX_DOWNLOAD_BYTES:,} bytes")


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
