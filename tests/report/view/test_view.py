"""`harness view`: the right numbers, a part at a time; read only, on this machine alone, and nothing foreign acts."""

import http.client
import re
from contextlib import contextmanager
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from harness.ground.clock import SystemClock
from harness.report.view import Server, items
from harness.store import Store
from harness.types import Dataset, Example, Item, Label, Outcome, Prediction, Run
from tests.report.conftest import HOSTILE
from tests.threaded import running

LABELS = ("ham", "<b>spam</b>", "=other()")


def stored(path, n=120):
    """A store with two runs over items whose texts, labels, replies and arm names are hostile."""
    store = Store(path, SystemClock())
    examples = tuple(
        Example(Item(f"i{i:04}", f"{HOSTILE[i % len(HOSTILE)]} number{i}", (HOSTILE[0],)), LABELS[i % 3], "test")
        for i in range(n)
    )
    dataset = Dataset("d", "v1", "s1:d", "single", tuple(map(Label, LABELS)), examples)
    store.add_dataset(dataset)
    for number, arm in enumerate(("<script>alert(1)</script>", "b")):
        run = Run(f"s1:run{number}", dataset.id, "test", arm, f"s1:arm{number}")
        store.start_run(run, dataset.ref, "0.1.0")
        store.append(run.id, [prediction(i, examples[i], wrong=4 + number) for i in range(n)])
        store.finish_run(run.id, "done", 1.0, None)
    return store


def prediction(i, example, wrong):
    """Every `wrong`-th answer is wrong, and the tenth call failed."""
    if i == 10:
        return Prediction(example.item.id, Outcome.FAILED, error=HOSTILE[1])
    label = LABELS[(LABELS.index(example.label) + 1) % 3] if i % wrong == 0 else example.label
    return Prediction(
        example.item.id, Outcome.ANSWERED, label, score=i / 200, raw=HOSTILE[2], cost_usd=0.001 * i, latency_s=0.01
    )


@contextmanager
def serving(store, report=lambda ref, split: f"report of {ref} {split}".encode()):
    server = Server(store, report)
    with running(server):
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(stored(tmp_path_factory.mktemp("view") / "harness.duckdb")) as running:
        yield running


def ask(server, path, host=None, method="GET", **said):
    """Status, headers and text of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    target = path + (f"?{urlencode(said)}" if said else "")
    connection.request(method, target, headers={"Host": host or f"127.0.0.1:{server.server_port}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.attributes, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


PAGES = {
    "/": {},
    "/split": {"dataset": "s1:d", "split": "test"},
    "/run": {"run": "s1:run0"},
    "/items": {"a": "s1:run0", "b": "s1:run1", "show": "only_a"},
    "/item": {"dataset": "s1:d", "item": "i0003"},
}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_nothing_foreign_acts(server, path):
    """Each answers 200 with our policy; hostile texts are words, and every link leads to another of our pages."""
    status, headers, page = ask(server, path, **PAGES[path])
    assert status == 200
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src" in page
    tags = Tags(page)
    assert not {"script", "img", "iframe", "svg", "object", "base", "link", "b"} & set(tags.found)
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    for link in (value for name, value in tags.attributes if name == "href"):
        assert link.startswith(("/", "#")), link
        if link.startswith("/"):
            assert ask(server, link)[0] == 200, link


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost.evil:80"])
def test_another_host_is_refused(server, host):
    """A request that was sent to another name (DNS rebinding) gets nothing of the store."""
    status, _, page = ask(server, "/", host=host)
    assert status == 403
    assert "d@v1" not in page


def test_only_reading_is_understood(server):
    """POST, PUT and DELETE are not there, and what an address says cannot change the store."""
    for method in ("POST", "PUT", "DELETE"):
        assert ask(server, "/", method=method)[0] == 501
    evil = "'; drop table runs; --"
    for name in ("a", "b", "gold", "answer", "outcome", "q", "show", "sort", "page"):
        said = {"a": "s1:run0", name: evil}
        assert ask(server, "/items", **said)[0] in (200, 404)
    assert ask(server, "/split", dataset="s1:d", split="test")[0] == 200


def test_what_is_not_there_is_said(server):
    """Unknown pages, runs, splits and items are 404, with the way back."""
    for path, said in [
        ("/nothing", {}),
        ("/run", {"run": "s1:none"}),
        ("/split", {"dataset": "s1:d", "split": "dev"}),
        ("/item", {"dataset": "s1:d", "item": "none"}),
        ("/items", {}),
    ]:
        status, _, page = ask(server, path, **said)
        assert status == 404
        assert 'href="/"' in page


def counted(server, **said):
    page = ask(server, "/items", a="s1:run0", b="s1:run1", **said)[2]
    return int(re.search(r">([\d,]+) items?\.<", page).group(1).replace(",", ""))


def test_the_filters_leave_what_they_say(server):
    """Counts of every filter equal those made from the answers themselves; a failed call is neither right nor wrong."""
    wrong_a, wrong_b = ({i for i in range(120) if i % k == 0 and i != 10} for k in (4, 5))
    scored = set(range(120)) - {10}
    assert counted(server) == 120
    assert counted(server, show="wrong") == len(wrong_a)
    assert counted(server, show="right") == len(scored - wrong_a)
    assert counted(server, show="only_a") == len(wrong_b - wrong_a)
    assert counted(server, show="only_b") == len(wrong_a - wrong_b)
    assert counted(server, show="neither") == len(wrong_a & wrong_b)
    assert counted(server, outcome="failed") == 1
    assert counted(server, gold="ham") == 40
    assert counted(server, gold="ham", answer="<b>spam</b>") == len({i for i in wrong_a if i % 3 == 0})
    assert counted(server, q="NUMBER7") == len([i for i in range(120) if f"number{i}".startswith("number7")])


def test_pages_turn_and_sort(server):
    """Fifty items a page, every item once, in the order asked for; a page past the end is the last one."""
    seen = []
    for page in (1, 2, 3):
        text = ask(server, "/items", a="s1:run0", sort="surest", page=page)[2]
        seen += re.findall(r"item=(i\d{4})", text)
    assert seen == [f"i{i:04}" for i in range(119, -1, -1) if i != 10] + ["i0010"]
    assert len(re.findall(r"item=i\d{4}", ask(server, "/items", a="s1:run0", page=999)[2])) == 20
    assert items.ROWS == 50


def test_the_numbers_are_right(server):
    """The split's page says items, accuracy and failures as they were stored."""
    page = ask(server, "/split", dataset="s1:d", split="test")[2]
    right = len([i for i in range(120) if i % 4 and i != 10])
    assert f">{right / 119:.3f}<".replace(">0", ">") in page
    words = "".join(Tags(page).words)
    assert "<script>alert(1)</script>" in words


def test_the_whole_report_is_made_on_demand(server):
    """`/report` answers with what the report's maker gives."""
    assert ask(server, "/report", dataset="d@v1", split="test")[2] == "report of d@v1 test"


def test_only_this_machine_is_listened_to(server):
    """The socket is bound to loopback, and to nothing else."""
    assert server.server_address[0] == "127.0.0.1"


def test_the_runs_of_an_item_are_paged(tmp_path, monkeypatch):
    """Each page has its own runs, the last ones too, and no run of another split is among them."""
    monkeypatch.setattr(items, "RUNS_A_PAGE", 1)
    with serving(stored(tmp_path / "harness.duckdb", n=12)) as running:
        first, second, beyond = (ask(running, "/item", dataset="s1:d", item="i0003", page=p)[2] for p in (1, 2, 9))
    assert "Page 1 of 2" in first
    assert ("s1%3Arun0" in first, "s1%3Arun1" in first) == (True, False)
    assert ("s1%3Arun0" in second, "s1%3Arun1" in second) == (False, True)
    assert "s1%3Arun1" in beyond
