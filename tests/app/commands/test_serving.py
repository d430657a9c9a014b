"""The server of a shipped folder, asked badly and by many: a 4xx or a cut connection, never a crash."""

import json
import socket
import threading
from contextlib import closing, contextmanager

import pytest

from harness.app.serving.server import Limits, Server
from tests.app.serving_load import load

LIMITS = Limits(bytes=10_000, items=20, seconds=1.0, connections=100)
GOOD = b'{"text": "hello"}'


def answer(items):
    """Says what it was asked."""
    return [{"id": one.id, "label": one.text, "outcome": "answered"} for one in items]


@contextmanager
def serving(limits=LIMITS, answered=answer):
    """A server on a thread; its address."""
    server = Server(("127.0.0.1", 0), answered, {"arm": "echo"}, limits)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def raw(address, content: bytes) -> bytes:
    """What comes back for these bytes until the connection ends."""
    with closing(socket.create_connection(address, timeout=60)) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        told = b""
        while part := connection.recv(65536):
            told += part
        return told


def request(body=GOOD, path="/predict", method="POST", **headers) -> bytes:
    given = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value is not None)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


BAD = {
    "not JSON": (request(b"{"), 400),
    "deep JSON": (request(b"[" * 9_000), 400),
    "not UTF-8": (request(b'{"text": "\xff"}'), 400),
    "a number": (request(b"5"), 400),
    "no text": (request(b'{"words": "x"}'), 400),
    "a text that is a number": (request(b'{"text": 5}'), 400),
    "tags of numbers": (request(b'{"text": "x", "tags": [1]}'), 400),
    "an id that is a list": (request(b'{"text": "x", "id": []}'), 400),
    "too many items": (request(json.dumps([{"text": "x"}] * 21).encode()), 413),
    "too long a body": (request(b"x" * 10_001), 413),
    "a length beyond all": (request(GOOD, Content_Length="9" * 400), 413),
    "a length that is no number": (request(GOOD, Content_Length="-1"), 411),
    "no length": (request(GOOD, Content_Length=None), 411),
    "chunks": (request(GOOD, Transfer_Encoding="chunked"), 411),
    "a form": (request(GOOD, Content_Type="text/plain"), 415),
    "another path": (request(GOOD, path="/../../etc/passwd"), 404),
    "another method": (request(GOOD, method="DELETE"), 405),
    "no method that there is": (request(GOOD, method="FETCH"), 405),
    "a page's own name": (request(GOOD, Host="evil.example"), 403),
    "long headers": (request(GOOD, X="y" * 70_000), 431),
    "many headers": (request(GOOD, **{f"X{i}": "y" for i in range(200)}), 431),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\xfc\x03\x03" * 20 + b"\r\n\r\n", 400),
}


@pytest.fixture(scope="module")
def address():
    with serving() as found:
        yield found


@pytest.mark.parametrize("name", BAD)
def test_bad_requests(address, name):
    """Each gets its 4xx and the connection ends; the next caller is answered."""
    content, status = BAD[name]
    told = raw(address, content)
    assert told.startswith(f"HTTP/1.1 {status} ".encode()) or (name == "no HTTP" and str(status).encode() in told), told
    assert b'"label": "hello"' in raw(address, request())


def test_who_is_slow_is_cut(address):
    """Half a request, and a byte now and then, end within the limit; others are answered meanwhile."""
    with closing(socket.create_connection(address, timeout=60)) as connection:
        connection.sendall(request(GOOD, Content_Length="500"))
        assert b'"label": "hello"' in raw(address, request())
        told = b""
        while part := connection.recv(65536):
            told += part
        assert told == b"" or told.startswith(b"HTTP/1.1 4")


def test_too_many_connections_are_told_so():
    """Beyond the limit a caller gets 503 at once; when the others have gone, it is served."""
    with serving(LIMITS._replace(connections=2, seconds=60.0)) as address:
        held = [socket.create_connection(address, timeout=60) for _ in range(2)]
        for connection in held:
            connection.sendall(request(method="GET", path="/health", body=b"")[:-2])
        with closing(socket.create_connection(address, timeout=60)) as late:
            assert late.recv(100).startswith(b"HTTP/1.1 503")
        for connection in held:
            connection.sendall(b"\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            connection.close()


def test_many_at_once():
    """Three seconds of sixteen callers: no error, each answered as asked."""
    with serving(Limits()) as address:
        told = load(f"http://127.0.0.1:{address[1]}", clients=16, seconds=3.0, texts=["a", "b"])
    assert told["errors"] == []
    assert told["answered"] >= 16
