"""The label page's server and its journal: answers are on the disk at once, and only the page itself can give any."""

import json
import os
import signal
import urllib.request

import numpy as np
import pytest

from harness import datasets
from harness.app.project import Project, labelling
from harness.datasets import ImportSpec, label_session, sampling
from harness.datasets.label_journal import Entry, Journal, agreed, standing
from harness.datasets.label_session import Terms
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from harness.types import Dataset, Example, Item, Label
from tests import processes
from tests.app.labelling.conftest import LABELS, ask, dataset, serving, session


def test_an_answer_is_on_the_disk_before_the_next_item(folder):
    """When the server has replied with the next item, another reader of the journal sees the answer."""
    with serving(session(folder)) as server:
        item = json.loads(ask(server, "/next?tab=a")[1])["item"]["id"]
        body = {"tab": "a", "act": "label", "item": item, "answer": "refund", "seconds": 1.5}
        status, text, _ = ask(server, "/answer", body)
    said = Journal(folder).entries()
    assert status == 200
    assert json.loads(text)["item"]["id"] != item
    assert [(one.item, one.answer, one.annotator, one.weight) for one in said] == [(item, "refund", "ann", 1.0)]
    assert os.stat(folder / "journal.jsonl").st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"X-Harness-Token": None}, 403),
        ({"X-Harness-Token": "wrong"}, 403),
        ({"Content-Length": "200000"}, 413),
    ],
)
def test_whoever_is_not_the_page_changes_nothing(folder, headers, status):
    """Another host, no token, a wrong one and a request without end are refused, and nothing is written."""
    with serving(session(folder)) as server:
        body = {"tab": "a", "act": "label", "item": "i001", "answer": "refund"}
        assert ask(server, "/answer", body, **headers)[0] == status
        if "Host" in headers:
            assert ask(server, "/", **headers)[0] == 403
    assert Journal(folder).entries() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"act": "label", "item": "i001", "answer": "nothing of ours"}, "label 'nothing of ours' is not in"),
        ({"act": "label", "item": "i999", "answer": "refund"}, "no item 'i999'"),
        ({"act": "drop", "item": "i001"}, "found 'drop'"),
        ([1], "expected a JSON object"),
    ],
)
def test_answers_that_are_none(folder, body, message):
    """An unknown label, item or act is refused with its reason, and nothing is written."""
    with serving(session(folder)) as server:
        status, text, _ = ask(server, "/answer", body)
        assert status == 400
        assert message in json.loads(text)["error"]
    assert Journal(folder).entries() == []


def test_the_page_is_not_to_be_framed_nor_to_run_what_is_not_its_own(folder):
    """Its policy allows scripts and styles of its own address only."""
    with serving(session(folder)) as server:
        for path in ("/", "/page.js", "/page.css"):
            status, text, headers = ask(server, path)
            assert status == 200
            assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]
            assert headers["X-Frame-Options"] == "DENY"
            assert "@TOKEN@" not in text


def test_two_tabs_show_different_items(folder):
    """Each tab has an item of its own, keeps it until it is answered, and no answer is lost."""
    one = session(folder)
    first, second = one.next("a"), one.next("b")
    assert first.id != second.id
    assert one.next("a").id == first.id
    one.answer("a", one.entry("label", first.id, "now", "refund"))
    one.answer("b", one.entry("label", second.id, "now", "other"))
    assert one.labels() == {first.id: "refund", second.id: "other"}


def test_undo_skip_and_cannot_tell(folder):
    """Undo shows the last item again; a skipped item comes again at the end; cannot tell is kept and no label."""
    one = session(folder, of=dataset(3))
    first = one.next("a")
    one.answer("a", one.entry("skip", first.id, "now"))
    second = one.next("a")
    one.answer("a", one.entry("label", second.id, "now", "refund"))
    assert one.undo("a", "now").id == second.id
    assert one.labels() == {}
    one.answer("a", one.entry("cannot tell", second.id, "now"))
    third = one.next("a")
    one.answer("a", one.entry("label", third.id, "now", "other"))
    assert one.next("a").id == first.id
    assert one.counts() == {"done": 1, "cannot tell": 1, "all": 3, "disagreed": 0}


def test_a_line_cut_off_by_a_kill_is_not_read(folder):
    """What was acknowledged stays; half a line is left out, and the next answer stands on a line of its own."""
    journal = Journal(folder)
    journal.append(Entry("label", "a", "ann", "now", "refund"))
    with journal.path.open("ab") as file:
        file.write(b'{"act": "label", "item": "b", "ann')
    Journal(folder).append(Entry("label", "c", "ann", "now", "other"))
    assert [entry.item for entry in Journal(folder).entries()] == ["a", "c"]
    assert [entry.item for entry in journal.entries()] == ["a", "c"]


def test_several_people(folder):
    """Each item goes to as many people as asked; where they differ there is no label until one of them settles it."""
    for who, answer in (("ann", "refund"), ("bob", "refund"), ("cleo", "other")):
        one = session(folder, Terms(who, per_item=2), of=dataset(2))
        while (item := one.next("a")) is not None:
            one.answer(
                "a", one.entry("label", item.id, "now", answer if item.id == "i000" else f"{LABELS[len(who) % 2]}")
            )
    said = standing(Journal(folder).entries())
    assert {item: sorted(of_item) for item, of_item in said.items()} == {"i000": ["ann", "bob"], "i001": ["ann", "bob"]}
    Journal(folder).append(Entry("label", "i000", "dan", "now", "other"))
    said = standing(Journal(folder).entries())
    assert label_session.disagreed(said) == ["i000"]
    assert agreed(said["i000"]) is None
    judge = session(folder, Terms("eve", is_adjudicating=True), of=dataset(1))
    assert judge.others("i000") == ["other", "refund", "refund"]
    judge.answer("a", judge.entry("label", "i000", "now", "refund"))
    assert judge.labels()["i000"] == "refund"
    assert judge.next("a") is None
    assert judge.undo("a", "now").id == "i000"
    assert "i000" not in judge.labels()


def test_suggestions_are_recorded(folder):
    """Without suggestions none is shown nor kept; with them each answer keeps what it was shown."""
    plain, shown = session(folder), session(folder, Terms("ann", suggestions={"i001": "other"}))
    plain.answer("a", plain.entry("label", "i000", "now", "refund"))
    shown.answer("a", shown.entry("label", "i001", "now", "refund"))
    assert [entry.suggested for entry in Journal(folder).entries()] == [None, "other"]


def test_a_release_keeps_splits_and_weights(tmp_path, folder):
    """The new version has the labels, the number each item stands for beside them, and every row in its split."""
    (tmp_path / "t.csv").write_text("body\n" + "".join(f"text {i}\n" for i in range(40)))
    spec = ImportSpec("t", "v1", "body", "", labels=dict.fromkeys(LABELS[:3], ""), is_closed=True)
    datasets.import_files(tmp_path, spec, {None: tmp_path / "t.csv"})
    old = datasets.load(tmp_path, "t@v1")
    drawn = sampling.by_worth([e.item for e in old.examples], {old.examples[0].item.id: 1.0}, 8, 0)
    one = label_session.Session(old, drawn, Journal(folder), Terms("ann", how="uncertain"))
    while (item := one.next("a")) is not None:
        one.answer("a", one.entry("label", item.id, "now", "refund"))
    label_session.release(tmp_path, old, "v2", Journal(folder))
    new = datasets.load(tmp_path, "t@v2")
    assert {e.item.id: e.split for e in new.examples} == {e.item.id: e.split for e in old.examples}
    weights = {e.item.id: float(e.item.fields[sampling.WEIGHT]) for e in new.labelled()}
    assert weights == {one.item.id: pytest.approx(one.weight, rel=1e-5) for one in drawn}


def test_chances_are_known():
    """Each item comes as often as its weight says, about n at a time, none with twice the plain weight."""
    items = [Item(f"i{i}", "") for i in range(40)]
    worth = {f"i{i}": float(i % 7 == 0) * 3 + 0.01 * i for i in range(30)}
    times, weights = np.zeros(40), np.full(40, np.nan)
    for seed in range(1500):
        drawn = sampling.by_worth(items, worth, 10, seed)
        assert len(drawn) == 10
        for one in drawn:
            times[int(one.item.id[1:])] += 1
            weights[int(one.item.id[1:])] = one.weight
    assert times / 1500 == pytest.approx(1 / weights, abs=0.045)
    assert np.nanmax(weights) <= 2 * 40 / 10 + 1e-9


def test_a_draw_of_everything():
    """When as many are wanted as there are, each is drawn and stands for itself."""
    items = [Item(f"i{i}", "") for i in range(5)]
    drawn = sampling.by_worth(items, {"i0": 9.0}, 9, 0)
    assert sorted((one.item.id, one.weight) for one in drawn) == [(f"i{i}", 1.0) for i in range(5)]


@pytest.mark.soak
def test_a_kill_in_the_middle_loses_nothing(tmp_path):
    """Every answer that was acknowledged before kill -9 is there after it, and the page goes on behind them."""
    (tmp_path / "pyproject.toml").write_text("[tool.harness]\n")
    (tmp_path / "t.csv").write_text("body\n" + "".join(f"text {i}\n" for i in range(200)))
    words = ("dataset", "import", "t.csv", "--name", "t", "--text", "body", "--labels", "a,b")
    processes.printed(processes.harness(tmp_path, *words))
    given = []
    for _ in range(2):
        process = processes.harness(tmp_path, "label", "t", "--json", "--split", "train")
        address = json.loads("".join(process.stdout.readline() for _ in range(4)))["address"]
        given += _labelled(address, 15)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    found = Journal(tmp_path / "results" / "t@v1" / "labels").entries()
    assert [entry.item for entry in found] == given
    assert len(set(given)) == 30


def _labelled(address, n):
    """As many items labelled over the wire, by the token that the page holds."""

    page = urllib.request.urlopen(address).read().decode()
    token = page.split('name="token" content="')[1].split('"')[0]

    def call(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(address.rstrip("/") + path, data, {"X-Harness-Token": token})
        return json.loads(urllib.request.urlopen(asked).read())

    said, given = call("/next?tab=x"), []
    for _ in range(n):
        item = said["item"]["id"]
        said = call("/answer", {"tab": "x", "act": "label", "item": item, "answer": "a"})
        given.append(item)
    return given


def test_answers_are_kept_as_their_kind_writes_them(folder):
    """However the page writes an answer, the journal has its one text; what is no answer to the item is refused."""
    for kind, labels, given, kept in (
        ("multi", ("a", "b"), '["b", "a", "b"]', '["a","b"]'),
        ("score", ("0", "5"), "2.50", "2.5"),
        ("extract", ("n",), '{"n": [{"text": "x", "start": 0, "end": 1}]}', '{"n":{"end":1,"start":0,"text":"x"}}'),
    ):
        one = session(folder / kind, of=_texts(("x y",), labels, kind))
        one.answer("t", one.entry("label", "i0", "now", given))
        assert one.labels() == {"i0": kept}
        for wrong in ("", "nothing", '["c"]', "6", '{"n": [{"text": "x", "start": 2, "end": 3}]}', "[" * 9999):
            with pytest.raises(ConfigError, match="the answer"):
                one.answer("t", one.entry("label", "i0", "now", wrong))
        assert one.labels() == {"i0": kept}


@pytest.mark.parametrize(
    ("kind", "labels", "pairs"),
    [
        ("score", ("0", "4"), [("0", "0"), ("2", "3"), ("4", "4"), ("1", "1")]),
        ("multi", ("a", "b"), [('["a"]', '["a","b"]'), ("[]", "[]"), ('["b"]', '["b"]'), ("[]", "[]")]),
    ],
)
def test_agreement_knows_how_far_answers_are_apart(tmp_path, kind, labels, pairs):
    """Near answers agree nearly: alpha equals the definition, computed pair by pair, with 1 less the credit."""
    data = _texts(tuple(f"x{i}" for i in range(len(pairs))), labels, kind)
    desk = labelling.Desk(Project(find(tmp_path, tmp_path), SystemClock()), data)
    for i, pair in enumerate(pairs):
        for who, answer in zip("ab", pair, strict=True):
            desk.journal.append(Entry("label", f"i{i}", who, "now", answer))
    (alpha,) = desk.agreement()  # names alone have a kappa
    task, everybody = Task.of(data), [answer for pair in pairs for answer in pair]
    within = sum(2 * (1 - task.credit(a, b)) for a, b in pairs)
    overall = sum(1 - task.credit(a, b) for a in everybody for b in everybody)
    assert alpha.value == pytest.approx(1 - (len(everybody) - 1) * within / overall)
    assert alpha.value > 0.5


def _texts(texts, labels, kind):
    examples = tuple(Example(Item(f"i{i}", text), "", "test") for i, text in enumerate(texts))
    return Dataset("d", "v1", "s1:d", kind, tuple(map(Label, labels)), examples)
