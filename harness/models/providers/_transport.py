"""The HTTP client under both SDKs: no reply without end, none larger than a cap, no redirect followed.

Whether a request was sent at all decides whether it may be billed, so that is told apart here: an error
is `httpx2.ConnectError` exactly when the connection was never made. (Over aiohttp the SDKs report a
server that reads the request and hangs up as a connect time-out.)
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, cast

import aiohttp
import httpx2

from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MIB = 1 << 20
MOST_BYTES = 4 * MIB  # of a reply, unpacked; a long answer with its log-probabilities has a tenth of that
LONGEST_CONNECT_S = 10.0
NEVER_SENT = (httpx2.ConnectError, httpx2.PoolTimeout, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)
BROKEN = (httpx2.TransportError, aiohttp.ClientError, OSError, EOFError)
NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class TooLargeError(httpx2.DecodingError):
    """A reply is larger than the cap; `begun` is its beginning."""

    def __init__(self, most_bytes: int, begun: bytes) -> None:
        super().__init__(f"the reply is larger than {most_bytes / MIB:g} MiB")
        self.begun = begun


class _Bounded(httpx2.AsyncClient):
    """A client whose every exchange, its last byte included, has a deadline and a size."""

    deadline_s: float
    most_bytes: int

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:  # noqa: ANN401  (httpx2's signature)
        """The reply, read to its end; with `stream`, its head, and whoever reads on uses `pieces`."""
        try:
            async with asyncio.timeout(self.deadline_s):
                response = await super().send(request, stream=True, **options)
                return response if stream else await self._read(response)
        except BROKEN as error:
            _tell_apart(error)

    async def _read(self, response: httpx2.Response) -> httpx2.Response:
        try:
            if "content-encoding" in response.headers:
                return await self._unpacked(response)
            # Nothing is packed, so what comes is capped where it comes in, and the reply may stay what it is.
            response.stream = _Capped(response.stream, self.most_bytes)
            await response.aread()
            return response
        finally:
            await response.aclose()

    async def _unpacked(self, response: httpx2.Response) -> httpx2.Response:
        content = b"".join([piece async for piece in _capped(response.aiter_bytes(), self.most_bytes)])
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_BODY]
        return httpx2.Response(response.status_code, headers=headers, content=content, request=response.request)


_OF_THE_BODY = (b"content-encoding", b"content-length", b"transfer-encoding")


class _Capped(httpx2.AsyncByteStream):
    """The bytes of a reply as they come, up to a cap."""

    def __init__(self, stream: object, most_bytes: int) -> None:
        self._stream = cast("httpx2.AsyncByteStream", stream)
        self._most_bytes = most_bytes

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _capped(aiter(self._stream), self._most_bytes)

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _capped(parts: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes; `TooLargeError` once there are more than the cap."""
    size, begun = 0, b""
    async for part in parts:
        size += len(part)
        begun = begun or part
        if size > most_bytes:
            raise TooLargeError(most_bytes, begun)
        yield part


async def pieces(response: httpx2.Response, most_bytes: int, deadline_s: float | None = None) -> AsyncIterator[bytes]:
    """A reply's unpacked bytes as they come; `TooLargeError` once there are more than the cap.

    With a deadline, that is what all of it may take, in seconds.
    """
    until_s = None if deadline_s is None else asyncio.get_running_loop().time() + deadline_s
    unpacked = _capped(response.aiter_bytes(), most_bytes)
    while True:
        try:
            # Piece by piece: a deadline around a `yield` would run on in whoever reads.
            async with asyncio.timeout_at(until_s):
                piece = await anext(unpacked, None)
        except BROKEN as error:
            _tell_apart(error)
        if piece is None:
            return
        yield piece


def bounded(kind: type[httpx2.AsyncClient], timeout_s: float, most_bytes: int = MOST_BYTES) -> httpx2.AsyncClient:
    """A client of an SDK's kind whose exchanges take at most `timeout_s` and bring at most `most_bytes`."""
    made = type("BoundedClient", (_Bounded, kind), {"deadline_s": timeout_s, "most_bytes": most_bytes})
    return made(timeout=timeouts(timeout_s), follow_redirects=False, verify=_certificates())  # type: ignore[no-any-return]


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; to read the list takes longer than a call."""
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        raise ConfigError(
            f"the certificates of the servers to trust cannot be read: {error}; check SSL_CERT_FILE and SSL_CERT_DIR"
        ) from None


def timeouts(timeout_s: float) -> httpx2.Timeout:
    """What a single step of an exchange may take. To connect takes less: nobody is billed for that."""
    return httpx2.Timeout(timeout_s, connect=min(LONGEST_CONNECT_S, timeout_s / 2))


def was_never_sent(error: BaseException | None) -> bool:
    """Whether the connection was not even made; anything later may have reached the server."""
    return isinstance(error, httpx2.ConnectError)


def refusal(error: BaseException | None) -> str | None:
    """What to say where nothing listens at the address; None for any other error."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        inner = getattr(error, "os_error", error)
        if isinstance(inner, OSError) and inner.errno == errno.ECONNREFUSED:
            host, port = getattr(error, "host", None), getattr(error, "port", None)
            where = f"{host}:{port}" if host else "that address"
            return f"connection refused: nothing listens at {where}"
        error = error.__cause__ or error.__context__
    return None


def _tell_apart(error: Exception) -> NoReturn:
    """Raise an error of three libraries as httpx2's: never sent, no reply in time, or a broken connection."""
    if isinstance(error, NO_CONNECTION) or isinstance(error.__cause__, NO_CONNECTION):
        raise httpx2.ConnectError(str(error)) from error
    # The two SDKs report a server that hung up as different kinds of a connection that was never made.
    if isinstance(error, (*NEVER_SENT, httpx2.ConnectTimeout)) and isinstance(error.__cause__, aiohttp.ClientError):
        raise httpx2.ReadError(str(error) or "the server closed the connection") from error
    if isinstance(error, NEVER_SENT):
        raise httpx2.ConnectError(str(error)) from error
    if isinstance(error, httpx2.TransportError):
        raise error
    if isinstance(error, TimeoutError):
        raise httpx2.ReadTimeout("no reply in time") from error
    raise httpx2.ReadError(str(error)) from error
