"""The label page's server: on this machine alone, and every change needs the page's own token.

A page elsewhere cannot read the token (same-origin policy), nor send it (the header makes the browser ask first,
and nobody answers that it may). What items say reaches the page as JSON and is only ever set as text.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from harness.errors import ConfigError, HarnessError
from harness.ground.loopback import LoopbackAnswer, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.datasets.label_session import Session
    from harness.types import JSON, Item

HERE = Path(__file__).parent
TOKEN = "X-Harness-Token"
LARGEST = 100_000  # bytes of a request
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/widgets.js": ("widgets.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
IN_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Shown:
    """What the page shows besides items: the guideline, what was said of estimates so far, and the time."""

    guideline: str
    progress: Callable[[], Mapping[str, JSON]]
    now: Callable[[], str]


class LabelServer(LoopbackServer):
    """Serves one session; several tabs may look at it."""

    def __init__(self, session: Session, shown: Shown, port: int = 0) -> None:
        super().__init__(_Answer, port)
        self.session = session
        self.shown = shown
        self.token = secrets.token_urlsafe(24)
        self._progress = Lock()

    def task(self) -> dict[str, JSON]:
        """What does not change from item to item."""
        dataset, terms = self.session.dataset, self.session.terms
        return {
            "dataset": dataset.ref,
            "kind": dataset.kind,
            "annotator": terms.annotator,
            "labels": [{"name": label.name, "description": label.description} for label in dataset.labels],
            "guideline": self.shown.guideline,
            "suggests": bool(terms.suggestions),
            "adjudicates": terms.is_adjudicating,
        }

    def next(self, tab: str, item: Item | None = None) -> dict[str, JSON]:
        """The item to show a tab, and how far things are."""
        chosen = item or self.session.next(tab)
        shown: JSON = None
        if chosen is not None:
            fields: dict[str, JSON] = dict(chosen.fields)
            shown = {"id": chosen.id, "text": chosen.text, "tags": list(chosen.tags), "fields": fields}
        suggestion = None if chosen is None else self.session.terms.suggestions.get(chosen.id)
        others: list[JSON] = [] if chosen is None else list(self.session.others(chosen.id))
        counts: dict[str, JSON] = dict(self.session.counts())
        return {"item": shown, "suggestion": suggestion, "others": others, "counts": counts}

    def progress(self) -> Mapping[str, JSON]:
        """The estimates so far; one at a time, for they take a while."""
        with self._progress:
            return self.shown.progress()


class _Answer(LoopbackAnswer):
    server: LabelServer

    def do_GET(self) -> None:
        """A file of the page, the task, the next item, or the estimates."""
        self.is_heard()
        asked = urlsplit(self.path)
        if not self.is_for_us:
            self._refuse(403, f"this server answers at {self.server.address} only")
        elif asked.path in FILES:
            name, kind = FILES[asked.path]
            text = (HERE / name).read_text(encoding="utf-8").replace("@TOKEN@", self.server.token)
            self.send(200, text.encode(), kind, POLICY)
        elif not self._is_trusted():
            self._refuse(403, "the page's token is missing; open the page anew")
        elif asked.path in ("/task", "/next", "/progress"):
            tab = parse_qs(asked.query).get("tab", [""])[0]
            self._reply(lambda: self._read(asked.path, tab))
        else:
            self._refuse(404, f"there is no {asked.path}")

    def do_POST(self) -> None:
        """An answer, or an undo. It is on the disk before the reply goes out."""
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > LARGEST:
            self.close_connection = True
            self._refuse(413, f"expected at most {LARGEST:,} bytes of JSON")
            return
        body = self.rfile.read(int(length))
        self.is_heard()
        if not (self.is_for_us and self._is_trusted()):
            self._refuse(403, "the page's token is missing; open the page anew")
            return
        self._reply(lambda: self._write(urlsplit(self.path).path, body))

    def _read(self, path: str, tab: str) -> Mapping[str, JSON]:
        if path == "/task":
            return self.server.task()
        return self.server.next(tab) if path == "/next" else self.server.progress()

    def _write(self, path: str, body: bytes) -> Mapping[str, JSON]:
        session, at = self.server.session, self.server.shown.now()
        said = _object(body)
        tab = str(said.get("tab") or "")
        if path == "/undo":
            return self.server.next(tab, session.undo(tab, at))
        if path != "/answer":
            raise ConfigError(f"there is no {path}")
        act, answer, seconds = said.get("act"), said.get("answer"), said.get("seconds")
        if act not in ("label", "skip", "cannot tell") or not isinstance(answer, str | None):
            raise ConfigError(f"an answer is a label, a skip or 'cannot tell'; found {act!r}")
        took = float(seconds) if isinstance(seconds, int | float) else None
        session.answer(tab, session.entry(act, str(said.get("item")), at, answer if act == "label" else None, took))
        return self.server.next(tab)

    def _is_trusted(self) -> bool:
        return secrets.compare_digest((self.headers.get(TOKEN) or "").encode(), self.server.token.encode())

    def _reply(self, make: Callable[[], Mapping[str, JSON]]) -> None:
        try:
            made = make()
        except HarnessError as error:
            self._refuse(400, str(error))
            return
        self.send(200, json.dumps(made, allow_nan=False).encode(), IN_JSON, POLICY)

    def _refuse(self, status: int, why: str) -> None:
        self.send(status, json.dumps({"error": why}).encode(), IN_JSON, POLICY)


def _object(body: bytes) -> dict[str, JSON]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ConfigError("the request is not JSON") from None
    if not isinstance(value, dict):
        raise ConfigError("expected a JSON object")
    return value
