"""A small dataset without labels, and the page's server over it."""

import http.client
import json
from contextlib import contextmanager

import pytest

from harness.app.labelling import LabelServer, Shown
from harness.datasets import sampling
from harness.datasets.label_journal import Journal
from harness.datasets.label_session import Session, Terms
from harness.types import Dataset, Example, Item, Label
from tests.report.conftest import HOSTILE
from tests.threaded import running

LABELS = ("billing", "refund", "other", "<img src=x onerror=alert(1)>")


def dataset(n=60, labels=LABELS, kind="single"):
    examples = tuple(
        Example(
            Item(f"i{i:03}", f"{HOSTILE[i % len(HOSTILE)]} number {i}", (HOSTILE[0],), {"from": HOSTILE[1]}), "", "test"
        )
        for i in range(n)
    )
    return Dataset("d", "v1", "s1:d", kind, tuple(map(Label, labels)), examples)


def session(folder, terms=None, of=None):
    data = of or dataset()
    drawn = sampling.at_random([example.item for example in data.examples], len(data.examples), 0)
    return Session(data, drawn, Journal(folder), terms or Terms("ann"))


@contextmanager
def serving(one, progress=lambda: {"sentence": "nothing yet", "width": 0.4}):
    server = LabelServer(one, Shown("Be kind.\n" + HOSTILE[0], progress, lambda: "2026-01-01T00:00:00.000"))
    with running(server):
        yield server


def ask(server, path, body=None, **headers):
    """A request as the page makes it; None takes a header away."""
    sent = {"Host": f"127.0.0.1:{server.server_port}", "X-Harness-Token": server.token} | headers
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    try:
        connection.request(
            "GET" if body is None else "POST",
            path,
            None if body is None else json.dumps(body),
            {name: value for name, value in sent.items() if value is not None},
        )
        reply = connection.getresponse()
        return reply.status, reply.read().decode(), dict(reply.getheaders())
    finally:
        connection.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "labels"
