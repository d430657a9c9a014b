"""`harness forget`: what a person asks to be erased is nowhere afterwards, in no byte; what was paid stays counted."""

import html
import json
import shutil
import sqlite3
from contextlib import closing

import duckdb
import pytest

from harness import datasets
from harness.app.project import forgetting
from tests import processes
from tests.conftest import write_tickets
from tests.loopback import serve

SECRET = 'Jürgen "Jo" Ångström, 12 Elm Road, was charged twice & wants <it> back'
OTHER = "please refund Miriam Quickly of Upper Hutt"
FEW_SHOT = """---
description: asks with examples
model: {max_tokens: 200}
output: json
fields: {reason: string}
examples: {how: fixed, ids: [EXAMPLE]}
---
{% block user %}{% for one in examples %}{{ one.text | upper }}: {{ one.label }}
{% endfor %}Ticket: {{ item.text }}
Label:
{% endblock %}
"""


def forms(text):
    """The bytes in which a text, or its beginning, may stand in a file: plain, in JSON, in CSV, in HTML."""
    plain = [text, text[:30], text.upper()]
    written = [
        json.dumps,
        lambda one: json.dumps(one, ensure_ascii=False),
        lambda one: one.replace('"', '""'),
        html.escape,
    ]
    return {form.encode() for one in plain for form in (one, *(how(one).strip('"') for how in written))}


def holding(root, text):
    """Every file below a folder with a byte of it."""
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and any(form in path.read_bytes() for form in forms(text))
    ]


@pytest.fixture(scope="module")
def made():
    """The folder of the workspace that the first test made, for the others to copy."""
    return []


@pytest.fixture
def told(root, harness, made, tmp_path_factory):
    """A workspace that keeps two people's texts everywhere: versions, store, ledger, vectors, reports, exports."""
    if not made:
        fill(root, harness)
        made.append(shutil.copytree(root, tmp_path_factory.mktemp("told") / "told"))
    shutil.copytree(made[0], root, dirs_exist_ok=True)
    return root


def fill(root, harness):
    rows = [
        (f"the number {i} of {label} came late", label, "", "test" if i % 3 == 0 else "train")
        for i in range(30)
        for label in ("billing", "bug", "question")
    ]
    quoted = '"' + SECRET.replace('"', '""') + '"'
    rows = [(quoted, "billing", "", "test"), (OTHER, "bug", "", "train"), *rows]
    write_tickets(root, rows, "people")
    (root / "people.csv").unlink()
    (root / "harness.toml").write_text('dataset = "people@v1"\narms = ["tfidf-lr", "minilm-knn"]\n')
    (root / "prompts" / "tickets" / "v2.j2").write_text(FEW_SHOT.replace("EXAMPLE", f"'{id_of(root, OTHER)}'"))

    def answer(said):
        return json.dumps({"reason": f"it says {said.split('Ticket: ')[1]}", "label": "bug"})

    with serve(answer) as server:
        asking = ["eval", "--task", "tickets", "--model", "openai/gpt-4o-mini", "--base-url", server.openai_url]
        for prompt in ("v1", "v2"):
            done = harness(*asking, "--priced-as", "openai/gpt-4o-mini", "--prompt", prompt)
            assert done.code == 0, done.err
        (root / "address.txt").write_text(server.openai_url)
    (root / "drop.txt").write_text(id_of(root, "the number 7 of bug came late") + "\n")
    for command in (
        ["baselines"],
        ["dataset", "new-version", "people@v1", "--to", "v2", "--drop", "drop.txt"],
        ["report"],
        ["runs", "export", "tfidf-lr"],
        ["runs", "export", "prompt:v2", "--to", "results/baselines/paid.parquet"],
        ["runs", "export", "prompt:v2", "--to", "results/table.csv"],
    ):
        done = harness(*command)
        assert done.code in (0, 1), (command, done.err)


def id_of(root, text, ref="people@v1"):
    return next(one.item.id for one in datasets.load(root, ref).examples if one.item.text == text)


def billed(root):
    with closing(sqlite3.connect(root / "results" / "calls.sqlite")) as connection:
        return connection.execute("select count(*), sum(billed_nano) from calls").fetchone()


def test_not_a_byte_is_left(told, harness):
    """By id and by text: no file of the workspace holds it, all else works on, and no cent is lost."""
    before, accounts = holding(told, SECRET), billed(told)
    assert {place.split("/")[0] for place in before} == {"datasets", "results"}
    assert any(place.endswith("calls.sqlite") for place in before)
    assert any(place.endswith("harness.duckdb") for place in before)
    asked = ("forget", "--dataset", "people", "--id", id_of(told, SECRET), "--text", OTHER, "--json")
    counted = harness(*asked, "--dry-run").json
    assert holding(told, SECRET) == before
    done = harness(*asked)
    assert (done.code, done.json["left"]) == (0, [])
    assert done.json["erased"] == counted["erased"]
    for place in ("vectors", "predictions in exported files", "reports, figures and tables", "rows of people@v2"):
        assert done.json["erased"][place] > 0
    assert holding(told, SECRET) == holding(told, OTHER) == []
    assert billed(told) == accounts
    assert harness("dataset", "verify", "people@v1").code == harness("dataset", "verify", "people@v2").code == 0
    assert "content was" in harness("dataset", "show", "people@v1", "--json").out
    kept = [path.name for path in (told / "results").iterdir()]
    assert not [name for name in kept if name.startswith(".")]


def test_runs_and_exports_follow_the_new_content(told, harness):
    """The runs stand on the shorter version, one item fewer each, and an export is read back as it is."""
    n = {
        row["run_id"]: row["n"]
        for row in harness("sql", "select run_id, n from runs where split = 'test'", "--json").json
    }
    harness("forget", "--dataset", "people", "--id", id_of(told, SECRET))
    new = datasets.load(told, "people@v1")
    rows = harness("sql", "select run_id, n, dataset_id from runs", "--json").json
    assert {row["run_id"]: row["n"] for row in rows} == {run: count - 1 for run, count in n.items()}
    assert {row["dataset_id"] for row in rows} == {new.id}
    assert harness("doctor").code == 0
    compared = harness("compare", "tfidf-lr", "minilm-knn", "--json")
    assert (compared.code, compared.json["n"]) == (0, len(new.in_split("test")))
    (told / "results" / "harness.duckdb").unlink()
    again = harness("runs", "import", "results/baselines/paid.parquet", "--json")
    assert (again.code, again.json["n"] % (len(new.in_split("test")))) == (0, 0), again.err


def test_what_is_asked_again_costs_nothing(told, harness):
    """The other answers are served from the ledger as before, and nobody is asked: the server is gone."""
    harness("forget", "--dataset", "people", "--id", id_of(told, SECRET))
    command = ["eval", "--task", "tickets", "--prompt", "v1", "--model", "openai/gpt-4o-mini", "--json"]
    address = (told / "address.txt").read_text()
    done = harness(*command, "--base-url", address, "--priced-as", "openai/gpt-4o-mini")
    assert done.code == 0, done.err
    assert done.json["calls"] == {
        "sent": 0,
        "cached": len(datasets.load(told, "people@v1").in_split("test")),
        "retried": 0,
    }


PLACES = ["models.ledger.erase", "store.erasing.erase"]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("place", [*PLACES, "rows", "lock"])
def test_a_kill_in_the_middle_is_finished_by_the_same_command(told, harness, monkeypatch, place):
    """Whichever place it had come to, before or after: the same command leaves nothing, and no version broken."""

    def killed(*_, **__):
        raise Killed

    if place in PLACES:
        monkeypatch.setattr(f"harness.{place}", killed)
    elif place == "rows":
        monkeypatch.setattr("harness.datasets.erasing.replace_rows", killed)
    else:
        armed = []
        real = forgetting.rows.loading.file_hash

        def sometimes(*arguments):
            if armed:
                raise Killed
            return real(*arguments)

        monkeypatch.setattr("harness.datasets.loading.file_hash", sometimes)
        begin = forgetting.rows.replace_rows

        def arm(one):
            armed.append(one)
            begin(one)

        monkeypatch.setattr("harness.datasets.erasing.replace_rows", arm)
    command = ("forget", "--dataset", "people", "--id", id_of(told, SECRET))
    with pytest.raises(Killed):
        harness(*command)
    monkeypatch.undo()
    monkeypatch.chdir(told)
    done = harness(*command)
    assert done.code in (0, 2), done.err
    assert holding(told, SECRET) == []
    for ref in ("people@v1", "people@v2"):
        assert harness("dataset", "verify", ref).code == 0
    assert harness("doctor").code == 0


def test_files_of_the_users_own_are_named(told, harness):
    """They are not changed, and the exit code says that it still stands there."""
    (told / "notes").mkdir()
    (told / "notes" / "mine.txt").write_text(f"he wrote: {SECRET}!")
    done = harness("forget", "--dataset", "people", "--id", id_of(told, SECRET), "--json")
    assert (done.code, done.json["left"]) == (1, ["notes/mine.txt"])


def test_an_unknown_item_is_refused_and_nothing_changes(told, harness):
    """One line, exit code 2."""
    before = holding(told, SECRET)
    done = harness("forget", "--dataset", "people", "--id", "nobody", "--id", id_of(told, SECRET))
    assert done.code == 2
    assert "'nobody'" in done.err
    assert holding(told, SECRET) == before


def test_a_run_under_way_is_awaited(told, harness):
    """It could write the same text once more: exit code 3, and nothing is half erased."""
    with serve(lambda said: "bug", held_from=0) as server:
        asking = ["eval", "--task", "tickets", "--prompt", "v1", "--fresh", "--model", "openai/m", "--base-url"]
        process = processes.harness(told, *asking, server.openai_url)
        processes.until(lambda: server.requests, process)
        done = harness("forget", "--dataset", "people", "--id", id_of(told, SECRET))
        process.kill()
        process.communicate()
        server.released.set()
    assert done.code == 3
    assert "once it has ended" in done.err
    assert SECRET in [one.item.text for one in datasets.load(told, "people@v1").examples]


def test_a_short_text_is_not_looked_for_in_what_others_say(root, harness):
    """`bug` is a label: the row goes, and the replies that say it stay."""
    write_tickets(
        root, [("bug", "bug", "", "test"), ("a bug here", "bug", "", "test"), ("x y z", "question", "", "test")], "s"
    )
    harness("eval", "--task", "tickets", "--prompt", "v1", "--dataset", "s@v1")
    done = harness("forget", "--dataset", "s", "--text", "bug", "--json")
    assert (done.json["n_short"], done.json["erased"]["rows of s@v1"]) == (1, 1)
    with duckdb.connect(str(root / "results" / "harness.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from predictions").fetchone() == (2,)


@pytest.mark.parametrize("text", ["", "q", "a part of", "Sort the ticket"])
def test_a_text_that_is_no_items_is_refused(told, harness, text):
    """Exit 2, nothing is touched, reports neither; with --anywhere a few letters are refused all the same."""
    page = told / "results" / "people@v1" / "test" / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("a report")
    done = harness("forget", "--dataset", "people", "--text", text)
    assert done.code == 2
    assert "nothing was erased" in done.err
    assert page.exists()
    if len(text) < 8:
        assert harness("forget", "--dataset", "people", "--text", text, "--anywhere").code == 2
    assert page.exists()


def test_an_unknown_dataset_is_said(told, harness):
    """Not that an item is unknown."""
    done = harness("forget", "--dataset", "nope", "--id", "1")
    assert done.code == 2
    assert "there is no dataset nope" in done.err
