"""A file from an address or from the hub, brought into a folder: https only, capped, nothing unpacked."""

from __future__ import annotations

import urllib.request
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from harness.datasets.tables import FORMATS, MAX_FILE_BYTES
from harness.errors import DatasetError, one_of

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from pathlib import Path
    from typing import IO

HUB = "https://huggingface.co/datasets/{owner}/{name}/resolve/main/{path}"
TIMEOUT_S = 60
CHUNK = 1 << 20


def is_remote(source: str) -> bool:
    """Whether a name is an address or a file of the hub (`hub:OWNER/NAME/PATH`), and not a path."""
    return "://" in source or source.startswith("hub:")


def fetched(source: str, folder: Path) -> Path:
    """The file, in this folder; `DatasetError` when it cannot be had, or is larger than is read."""
    address = _address(source)
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    if not name.lower().endswith(FORMATS):
        raise DatasetError(f"{source}: the ending says no format; {one_of(PurePosixPath(name).suffix, FORMATS)}")
    path, size = folder / name, 0
    opener = urllib.request.build_opener(_SafeRedirects)
    request = urllib.request.Request(address, headers={"User-Agent": "prompt-harness"})
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response, path.open("wb") as file:
            while part := response.read(CHUNK):
                size += len(part)
                if size > MAX_FILE_BYTES:
                    raise DatasetError(f"{source} is larger than {MAX_FILE_BYTES:,} bytes")
                file.write(part)
    except OSError as error:  # URLError and time-outs are OSErrors
        raise DatasetError(
            f"{source} cannot be fetched: {error}; download it by other means and give the file"
        ) from None
    return path


def _address(source: str) -> str:
    if source.startswith("hub:"):
        parts = source.removeprefix("hub:").split("/", 2)
        if len(parts) < 3 or not all(parts):
            raise DatasetError(f"{source}: expected hub:OWNER/NAME/PATH, the path being a file of the data set")
        owner, name, path = map(quote, parts)
        return HUB.format(owner=owner, name=name, path=path)
    if not source.startswith("https://"):
        raise DatasetError(f"{source}: only https addresses are fetched")
    return source


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https alone: a plain one could be read and changed on its way."""

    def redirect_request(  # the signature is the library's
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The request to the new address; `DatasetError` when that is not https."""
        if not newurl.startswith("https://"):
            raise DatasetError(f"{req.full_url} leads to {newurl}: only https addresses are fetched")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
