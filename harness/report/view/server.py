"""The view's server: GET only, read only (see `ground.loopback` for whom it answers)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from harness.errors import HarnessError
from harness.ground.loopback import LoopbackAnswer, LoopbackServer
from harness.report import html
from harness.report.blocks import Links, Section, Text
from harness.report.view.pages import PAGES, Book, NotThereError, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.store import Store

KIND = "text/html; charset=utf-8"
POLICY = {"Content-Security-Policy": "frame-ancestors 'none'"}


class Server(LoopbackServer):
    """Answers on loopback; `report` makes the whole report of a dataset's split, where that is wanted."""

    def __init__(self, store: Store, report: Callable[[str, str], bytes], port: int = 0) -> None:
        super().__init__(_Answer, port)
        self.store = store
        self.report = report
        self.sums: dict[tuple[object, object], dict[str, object]] = {}


class _Answer(LoopbackAnswer):
    server: Server

    def do_GET(self) -> None:
        """One page."""
        self.is_heard()
        if not self.is_for_us:
            refusal = _message("Not for this host", f"this server answers at {self.server.address} only")
            self.send(403, refusal, KIND, POLICY)
            return
        status, page = self._page()
        self.send(status, page, KIND, POLICY)

    def _page(self) -> tuple[int, bytes]:
        asked = urlsplit(self.path)
        wanted = Wanted(dict(parse_qsl(asked.query, keep_blank_values=True)))
        try:
            if asked.path == "/report":
                return 200, self.server.report(wanted.text("dataset"), wanted.text("split"))
            if asked.path not in PAGES:
                return 404, _message("There is no such page", asked.path)
            with self.server.store.reader() as select:
                title, sections = PAGES[asked.path](
                    Book(select, self.server.sums, self.server.store.extensions), wanted
                )
        except NotThereError as error:
            return 404, _message("There is no such thing in the store", str(error))
        except HarnessError as error:
            return 500, _message("That cannot be shown", str(error))
        return 200, html.render(title, sections, {}, form="'self'").encode()


def _message(title: str, text: str) -> bytes:
    back = Links((("All runs", "/"),))
    return html.render(title, [Section("What happened", (Text(text, "warning"), back))], {}, form="'self'").encode()
