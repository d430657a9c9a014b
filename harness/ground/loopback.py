"""A server on this machine alone: deaf to whoever asks for another host, and to a request that trickles in.

A page of the web can make a browser send requests to this machine, under a name of its own that it
lets point here (DNS rebinding). Such a request carries that name as its host, and is refused.
"""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = "127.0.0.1"
REQUEST_S = 10.0  # what a request may take to be said
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LoopbackServer(ThreadingHTTPServer):
    """Listens on loopback; `port` 0 takes a free one. Raises `OSError` for a port that is taken."""

    daemon_threads = True

    def __init__(self, answer: type[LoopbackAnswer], port: int = 0) -> None:
        super().__init__((LOOPBACK, port), answer)

    @property
    def address(self) -> str:
        """Where to look."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def is_meant(self, host: str | None) -> bool:
        """Whether a request's host header names this server."""
        return host in {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}


class LoopbackAnswer(BaseHTTPRequestHandler):
    """One request, which has to be said in time and to be meant for this host."""

    server: LoopbackServer
    timeout = REQUEST_S
    server_version, sys_version = "harness", ""

    def setup(self) -> None:
        """Listen; a request that is not said in time, however it trickles in, ends with its connection."""
        super().setup()
        self._deadline = Timer(REQUEST_S, self._hang_up)
        self._deadline.daemon = True
        self._deadline.start()

    def finish(self) -> None:
        """The request is over."""
        self._deadline.cancel()
        super().finish()

    def is_heard(self) -> None:
        """The whole request has been read; the answer may take its time."""
        self._deadline.cancel()

    @property
    def is_for_us(self) -> bool:
        """Whether the request names this host."""
        return self.server.is_meant(self.headers.get("Host"))

    def send(self, status: int, body: bytes, kind: str, further: Mapping[str, str]) -> None:
        """Answer with these bytes of that content type."""
        self.send_response(status)
        for name, value in (HEADERS | {"Content-Type": kind} | dict(further)).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal."""

    def _hang_up(self) -> None:
        with suppress(OSError):  # it has gone by itself
            self.connection.shutdown(SHUT_RDWR)
