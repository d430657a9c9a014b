"""A server on this machine alone: GET only, read only, and deaf to whoever asks for another host.

A page of the web can make a browser send requests to this machine, under a name of its own that it
lets point here (DNS rebinding). Such a request carries that name as its host, and is refused.
"""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Timer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from harness.errors import HarnessError
from harness.report import html
from harness.report.blocks import Links, Section, Text
from harness.report.view.pages import PAGES, Book, NotThereError, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.store import Store

LOOPBACK = "127.0.0.1"
REQUEST_S = 10.0  # what a request may take to be said
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Server(ThreadingHTTPServer):
    """Answers on loopback; `report` makes the whole report of a dataset's split, where that is wanted."""

    daemon_threads = True

    def __init__(self, store: Store, report: Callable[[str, str], bytes], port: int = 0) -> None:
        super().__init__((LOOPBACK, port), _Answer)
        self.store = store
        self.report = report
        self.sums: dict[tuple[object, object], dict[str, object]] = {}

    @property
    def address(self) -> str:
        """Where to look."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def is_meant(self, host: str | None) -> bool:
        """Whether a request's host header names this server."""
        return host in {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}


class _Answer(BaseHTTPRequestHandler):
    server: Server
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

    def _hang_up(self) -> None:
        with suppress(OSError):  # it has gone by itself
            self.connection.shutdown(SHUT_RDWR)

    def do_GET(self) -> None:
        """One page."""
        self._deadline.cancel()
        if not self.server.is_meant(self.headers.get("Host")):
            self._send(403, _message("Not for this host", f"this server answers at {self.server.address} only"))
            return
        status, page = self._page()
        self._send(status, page)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal."""

    def _page(self) -> tuple[int, bytes]:
        asked = urlsplit(self.path)
        wanted = Wanted(dict(parse_qsl(asked.query, keep_blank_values=True)))
        try:
            if asked.path == "/report":
                return 200, self.server.report(wanted.text("dataset"), wanted.text("split"))
            if asked.path not in PAGES:
                return 404, _message("There is no such page", asked.path)
            with self.server.store.reader() as select:
                title, sections = PAGES[asked.path](Book(select, self.server.sums), wanted)
        except NotThereError as error:
            return 404, _message("There is no such thing in the store", str(error))
        except HarnessError as error:
            return 500, _message("That cannot be shown", str(error))
        return 200, html.render(title, sections, {}, form="'self'").encode()

    def _send(self, status: int, page: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


def _message(title: str, text: str) -> bytes:
    back = Links((("All runs", "/"),))
    return html.render(title, [Section("What happened", (Text(text, "warning"), back))], {}, form="'self'").encode()
