"""Answers over HTTP: `POST /predict` with one item or many, `GET /health`. This file goes into shipped folders.

The standard library's server with a thread a connection, and limits: of size, of time, of connections. What is
no request of ours gets a 4xx or its connection cut; nothing that comes in is executed or logged.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TICK_S = 0.5
LINGER_S, LINGER_BYTES = 1.0, 1 << 20  # after an answer that ends a connection: for what its caller still sends
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Asked(NamedTuple):
    """An item that somebody asks about."""

    id: str
    text: str
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = {}  # noqa: RUF012  (never changed)


class Limits(NamedTuple):
    """What one caller may take: bytes and items of a request, seconds to send it, connections at once."""

    bytes: int = 1_048_576
    items: int = 1_000
    seconds: float = 10.0
    connections: int = 256


class Refused(Exception):
    """What the caller did wrong, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def items_of(body: bytes, limits: Limits) -> tuple[list[Asked], bool]:
    """The items of a request's body, and whether it asked for many; `Refused` says what is wrong with it."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    many = given["items"] if isinstance(given, dict) and "items" in given else given
    if isinstance(many, dict):
        return [_item(many, 0)], False
    if not isinstance(many, list):
        raise Refused(400, 'expected {"text": ...}, a list of such, or {"items": [...]}')
    if len(many) > limits.items:
        raise Refused(413, f"{len(many):,} items; at most {limits.items:,} are answered at once")
    return [_item(one, place) for place, one in enumerate(many)], True


def _item(given: Any, place: int) -> Asked:  # noqa: ANN401  (whatever somebody sends)
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise Refused(400, f'item {place}: expected an object with a "text" that is a string')
    tags = given.get("tags") or []
    fields = given.get("fields") or {}
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Refused(400, f'item {place}: "tags" are a list of strings')
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise Refused(400, f'item {place}: "fields" are an object of strings')
    if not isinstance(given.get("id", ""), str | int):
        raise Refused(400, f'item {place}: "id" is a string')
    return Asked(str(given.get("id", f"item {place}")), given["text"], tuple(tags), fields)


class Exchange(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "harness", ""
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        """Begin, with so much time to ask."""
        super().setup()
        self.server.wait_for(self.connection)

    def finish(self) -> None:
        """End, so that the caller can read the answer: a socket closed over unread bytes takes it back."""
        super().finish()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_S)
            left = LINGER_BYTES
            while left > 0 and (part := self.connection.recv(min(left, 65_536))):
                left -= len(part)
        self.server.forget(self.connection)

    def do_GET(self) -> None:
        """`/health`, and nothing else."""
        self._answered(
            lambda: self.server.facts if self._path() == "/health" else _no(404, "POST /predict, GET /health")
        )

    def do_POST(self) -> None:
        """`/predict`."""
        self._answered(self._predicted)

    def not_allowed(self) -> None:
        """What is neither."""
        self._answered(lambda: _no(405, "POST /predict, GET /health"))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (the standard library asks for do_METHOD)
        if name.startswith("do_"):
            return self.not_allowed
        raise AttributeError(name)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: ANN401
        """Nothing: what people ask is theirs."""

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _predicted(self) -> object:
        if self._path() != "/predict":
            raise Refused(404, "POST /predict, GET /health")
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "expected Content-Type: application/json")
        items, are_many = items_of(self.rfile.read(self._length()), self.server.limits)
        self.server.forget(self.connection)  # it has asked; the answer takes what it takes
        answers = self.server.answered(items)
        return {"answers": answers} if are_many else answers[0]

    def _length(self) -> int:
        given = self.headers.get_all("content-length") or []
        if "transfer-encoding" in self.headers or len(given) != 1 or not given[0].strip().isdecimal():
            raise Refused(411, "expected one Content-Length, and no Transfer-Encoding")
        length = int(given[0][:20])
        if length > self.server.limits.bytes:
            raise Refused(413, f"the body is longer than {self.server.limits.bytes:,} bytes")
        return length

    def _answered(self, answer: Callable[[], object]) -> None:
        status, content = 200, b""
        try:
            self._check_host()
            content = json.dumps(answer()).encode("ascii")
        except Refused as refused:
            # What was not read would be taken for the next request.
            self.close_connection = True
            status, content = refused.status, json.dumps({"error": str(refused)}).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.server.wait_for(self.connection)

    def _check_host(self) -> None:
        """Refuse what a page in a browser sends here under a name of its own."""
        host = self.headers.get("host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if self.server.is_local and name.strip("[]") not in LOOPBACK:
            raise Refused(403, "this server answers this machine alone")


def _no(status: int, message: str) -> object:
    raise Refused(status, f"expected {message}")


class Server(ThreadingHTTPServer):
    """Serves `answer`, at most as many computations at once as there are cores."""

    request_queue_size = 256
    daemon_threads = False
    block_on_close = True

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Sequence[Asked]], list[dict[str, Any]]],
        facts: dict[str, Any],
        limits: Limits,
        at_once: int | None = None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Exchange)
        self._answer, self.facts, self.limits = answer, {"status": "ok", **facts}, limits
        self.is_local = address[0] in LOOPBACK
        self._turns = threading.BoundedSemaphore(at_once or os.cpu_count() or 1)
        self._places = threading.BoundedSemaphore(limits.connections)
        self._lock = threading.Lock()
        self._waiting: dict[socket.socket, int] = {}
        self._ticks = 0
        self._ended, self._closed = threading.Event(), threading.Event()
        threading.Thread(target=self._cut_the_slow, daemon=True).start()

    def answered(self, items: Sequence[Asked]) -> list[dict[str, Any]]:
        """The answers, when it is their turn."""
        with self._turns:
            return self._answer(items)

    def wait_for(self, connection: socket.socket) -> None:
        """Give a connection so much time for its next request."""
        with self._lock:
            self._waiting[connection] = self._ticks + max(int(self.limits.seconds / TICK_S), 1)

    def forget(self, connection: socket.socket) -> None:
        """A connection is waited for no longer."""
        with self._lock:
            self._waiting.pop(connection, None)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A thread for the connection, or 503 when there are too many."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):
            request.sendall(BUSY)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """The connection to its end, and its place given back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Nothing: a connection that broke is its caller's, and the server goes on."""

    def stop(self) -> None:
        """No new requests; those under way are answered, idle connections cut."""
        self._ended.set()
        threading.Thread(target=self.shutdown, daemon=True).start()

    def server_close(self) -> None:
        """Let go of the address, once every connection has ended."""
        self._ended.set()
        super().server_close()
        self._closed.set()

    def _cut_the_slow(self) -> None:
        """Cut connections that were waited for long enough; once the server is to stop, all that are waited for."""
        while not self._closed.wait(TICK_S):
            with self._lock:
                self._ticks += 1
                is_over = self._ended.is_set()
                late = [one for one, tick in self._waiting.items() if is_over or tick <= self._ticks]
                for connection in late:
                    del self._waiting[connection]
            for connection in late:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def serve_until_stopped(server: Server) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are answered first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    host, port = server.server_address[:2]
    print(f"serving on http://{host if isinstance(host, str) else '127.0.0.1'}:{port}", flush=True)  # noqa: T201
    with server:
        server.serve_forever(poll_interval=TICK_S)
