"""`harness init`: from an empty folder and a file as people have them to a verdict, with nothing edited."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from harness.app import cli
from harness.app.project import Project, estimating, labelling
from harness.ground.clock import SystemClock
from harness.ground.workspace import find

ROOT = Path(__file__).resolve().parents[3]
TEXTS = {
    "billing": ("charged twice for an invoice", "refund my payment please", "the invoice is wrong"),
    "bug": ("the app crashes with an error", "a blank screen after the update", "an error on login"),
    "question": ("how do I change my password", "where is the manual of the café", "can I use it twice"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, stood in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def type_(monkeypatch, capsys):
    """Runs a command line; exit code, stdout, stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["harness", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run


def messy(folder, name="tickets.csv"):
    """Semicolons, Windows line ends and encoding, columns nobody was told of, rows without a label."""
    rows = ["id;Body;Queue;junk"]
    for number in range(90):
        label = list(TEXTS)[number % 3]
        rows.append(f'{number};"{TEXTS[label][number % 9 // 3]} {number}";{label if number % 40 else ""};x')
    (folder / name).write_bytes("\r\n".join(rows).encode("cp1252"))


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_readmes_first_lines_give_a_verdict(here, type_):
    """README's three lines, from the second on, typed in an empty folder: no key, no file edited, and a verdict."""
    block = re.search(r"<!-- start -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.partition("#")[0].split() for line in block.group(1).splitlines()]
    assert lines[0] == ["pip", "install", "prompt-harness"]
    assert len(lines) == 3
    messy(here)
    for line in lines[1:]:
        assert line[0] == "harness"
        code, out, err = type_(*line[1:])
        assert code == 0, err
    assert "tickets@v1 / test" in out
    assert re.search(r"Serve |Cannot tell yet|beats", out)
    assert "rules" in out


def test_what_was_guessed_and_written_is_told(here, type_):
    """Columns, encoding and what is left out, each with the option that says otherwise; and the next command."""
    messy(here, "Support Tickets (2024).csv")
    code, out, _ = type_("init", "Support Tickets (2024).csv")
    assert code == 0
    for said in (
        "the text is column 'Body'; --text",
        "the label is column 'Queue'; --label",
        "encoding 'cp1252'",
        "rows without a label are left out",
        "Next: harness baselines",
    ):
        assert said in out
    assert set(files(here)) == {
        "Support Tickets (2024).csv",
        ".gitignore",
        "harness.toml",
        "prompts/Support-Tickets-2024/v1.j2",
        "prompts/Support-Tickets-2024/rules-v1.toml",
        *(f"datasets/Support-Tickets-2024/v1/{name}" for name in ("dataset.toml", "examples.csv", "rows.lock")),
    }
    assert (here / ".gitignore").read_text().splitlines()[1:] == ["results/*", "!results/baselines/"]


def test_a_workspace_is_refused(here, type_):
    """Settings, a dataset or prompts are there: exit 2, nothing changed."""
    messy(here)
    assert type_("init", "tickets.csv")[0] == 0
    for gone in ((), ("harness.toml",), ("prompts/tickets/v1.j2",)):
        for path in gone:
            (here / path).unlink()
        before = files(here)
        code, out, err = type_("init", "tickets.csv", "--name", "other")
        assert (code, out) == (2, "")
        assert "is a workspace already" in err
        assert files(here) == before


def test_settings_in_pyproject_are_a_workspace(here, type_):
    """[tool.harness] counts; a pyproject.toml without it does not."""
    (here / "pyproject.toml").write_text("[tool.harness]\n")
    assert type_("init")[0] == 2
    (here / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert type_("init")[0] == 0


def test_what_is_there_is_not_written(here, type_):
    """A .gitignore stays as it is, and its owner hears what should stand in it; rules of that name stop everything."""
    messy(here)
    (here / ".gitignore").write_text("mine\n")
    (here / "prompts/tickets").mkdir(parents=True)
    (here / "prompts/tickets/rules-v1.toml").write_text("mine")
    before = files(here)
    code, _, err = type_("init", "tickets.csv")
    assert code == 2
    assert "prompts/tickets/rules-v1.toml is there already" in err
    assert files(here) == before
    code, out, _ = type_("init", "tickets.csv", "--name", "other")
    assert code == 0
    assert "results/*" in out
    assert (here / ".gitignore").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (None, (), "tickets.csv: there is no such file"),
        (b"a,b\nx,y\n", ("--text", "a", "--label", "b"), "one label only"),
        (b"text,label\nx,y\nz,w\n", ("--label", "labl"), None),
        (b"body,label\nx,y\nz,w\n", ("--text", "nope"), "tickets.csv has 'body', 'label'"),
        (b"body,queue\nx,y\nz,w\n", ("--text", "body", "--label", "nope"), "no column 'nope'"),
        (b"text,label\nx,y\nz,w\n", ("--name", "../x"), "cannot be a name"),
        (b"text,label\nx,y\nz,w\n", ("--task", "../x"), "cannot be a name"),
        (b"\x00\x01\x02", (), "NUL byte"),
    ],
)
def test_a_file_that_cannot_be_imported_leaves_nothing(here, type_, content, words, message):
    """One line, exit 2, and not one file is written; a column's near name is taken, and told."""
    if content is not None:
        (here / "tickets.csv").write_bytes(content)
    before = files(here)
    code, out, err = type_("init", "tickets.csv", *words)
    if message is None:
        assert code == 0
        assert "the label is column 'label'" in out
        return
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert files(here) == before


def test_without_a_file_the_way_on_is_told(here, type_):
    """Settings and, with a task, a prompt for whichever labels; the next command imports a file."""
    code, out, _ = type_("init", "--name", "mail", "--json")
    made = json.loads(out)
    assert code == 0
    assert made["files"] == [".gitignore", "prompts/mail/v1.j2", "harness.toml"]
    assert made["next"] == "harness dataset import FILE --name mail --text COL --label COL"


def test_a_task_of_another_name_is_found(here, type_):
    """--task names the prompts' folder, the settings say so, and the prompt is asked."""
    messy(here)
    assert type_("init", "tickets.csv", "--task", "sorting")[0] == 0
    code, _, err = type_("eval", "--prompt", "v1", "--model", "fake/first", "--limit", "5")
    assert code == 0, err


def test_texts_without_labels(here, type_):
    """From texts without labels to which arm leads: init names the commands, and they hold what they promise."""
    truth = {f"{text}, ticket {n}": label for label in TEXTS for text in TEXTS[label] for n in range(60)}
    (here / "tickets.csv").write_text("when,body\n" + "".join(f'2026-01-02,"{text}"\n' for text in truth))
    (here / "labels.csv").write_text("label,description\nbilling,invoices and refunds\nbug,errors\nquestion,how to\n")
    code, out, err = type_("init", "tickets.csv", "--labels", "labels.csv", "--json")
    assert code == 0, err
    steps = [step["command"] for step in json.loads(out)["steps"]]
    assert steps[0] == "harness baselines"
    assert "harness label tickets@v1 --n 80 --how disagreement" in steps
    assert "invoices and refunds" in (here / "datasets/tickets/v1/dataset.toml").read_text()
    assert type_(*steps[0].split()[1:])[0] == 0
    project = Project(find(here, here), SystemClock())
    desk = labelling.Desk(project, project.dataset(None))
    for n in (20, 40, 80):
        answer(desk, n, truth)
        estimated = json.loads(type_("estimate", "--json")[1])
        assert [one["accuracy"]["n"] for one in estimated] == [n, n]
    answers = (
        estimating.answers(project, desk.dataset)
        .drop(columns="text", errors="ignore")
        .merge(texts_of(desk.dataset), on="example_id")
    )
    right = (answers["label"] == answers["text"].map(truth)).groupby(answers["run_id"]).mean()
    for value, one in zip(sorted(right, reverse=True), estimated, strict=True):
        assert one["accuracy"]["low"] <= value <= one["accuracy"]["high"]
    shown = type_("estimate")[1]
    assert f"{estimated[0]['name']} leads {estimated[1]['name']} by" in shown
    assert "80 gold labels" in shown
    code, out, err = type_("decide", "--estimate")
    assert code == 0, err
    assert "Estimated from 80 gold labels" in out
    refused = type_("init", "--labels", "a,b")
    assert refused[0] == 2


def texts_of(dataset):
    return pd.DataFrame([(e.item.id, e.item.text) for e in dataset.examples], columns=["example_id", "text"])


def answer(desk, n, truth):
    """A person who knows every answer labels until there are `n`."""
    session = desk.session(labelling.Draw("test", 80, "disagreement"), labelling.People("ann"))
    while len(desk.labels()) < n:
        item = session.next("a")
        session.answer("a", session.entry("label", item.id, desk.now(), truth[item.text]))
