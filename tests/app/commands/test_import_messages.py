"""A newcomer's file is a clean dataset after the commands that the messages themselves named."""

import json
import re
import shlex

import pytest

from harness import datasets

NEXT = re.compile(r"; next: (harness dataset import .*)$", re.MULTILINE)
MESSY = (
    "\ufeffEingang;Betreff;Kategorie;;\r\n"
    + "".join(
        f"{i % 28 + 1:02d}.01.2026 09:{i % 60:02d};Anfrage {i}: Preis 3,50, bitte prüfen;{label};;\r\n"
        for i, label in enumerate(["Rechnung", "Rechnung ", " Versand", "Versand", "", "Technik", "Technik\u00a0"] * 6)
    )
    + ";;;;\r\n;;;;\r\n"
)


def followed(harness, words, most=2):
    """The exit code and output of a command, after at most so many others that its messages named; and how many."""
    for n in range(most + 1):
        done = harness(*words)
        named = NEXT.search(done.err)
        if done.code == 0 or named is None:
            return done, n
        words = shlex.split(named.group(1))[1:]
    raise AssertionError(f"still not done: {done.err}")


@pytest.mark.parametrize(
    "options", [(), ("--text", "text", "--label", "label"), ("--text", "Betreff", "--label", "kategorie")]
)
def test_a_messy_csv_is_clean_in_two_commands(harness, root, options):
    """Semicolons, a byte order mark, blanks in labels, empty labels, Excel's dates, rows and columns of nothing."""
    (root / "messy file.csv").write_text(MESSY, newline="")
    done, n = followed(harness, ["dataset", "import", "messy file.csv", "--name", "anfragen", *options])
    assert (done.code, n <= 2) == (0, True)
    dataset = datasets.load(root, "anfragen@v1")
    assert dataset.label_names == ("Rechnung", "Technik", "Versand")
    assert len(dataset.examples) == 36
    assert dataset.examples[0].item.text == "Anfrage 0: Preis 3,50, bitte prüfen"
    assert dataset.examples[0].item.fields == {"Eingang": "01.01.2026 09:00"}
    for said in (
        "labels with blanks at an edge: 18,",
        "rows in which every cell is empty: 2,",
        "columns without a name: 2,",
        "rows without a label: 6,",
    ):
        assert said in done.out
    told = harness("dataset", "show", "anfragen", "--json")
    assert "rows without a label: 6" in json.loads(told.out)["source"]["repaired"]


FILES = {
    "no header line": ("f.csv", "please pay me back,refund\nwhere is it now,shipping\npay me,refund\nwhere,shipping\n"),
    "nested": ("f.jsonl", '{"d": {"text": "x"}, "g": {"label": "a"}}\n{"d": {"text": "y"}, "g": {"label": "b"}}\n'),
    "objects as labels": ("f.csv", 'text,label\nx,"{""choices"": [""a""]}"\ny,"{""choices"": [""b""]}"\n'),
    "near names": ("f.csv", "Text,labels\nx,a\ny,b\n"),
    "other names": ("f.csv", "id,said,why\n1,a long text,a\n2,another one,b\n3,and one more,a\n4,and a last one,b\n"),
    "no label, no text": ("f.jsonl", '{"text": "x", "label": "a"}\n{"text": null, "label": "b"}\n{"text": "y"}\n'
                          '{"text": "z", "label": "b"}\n'),
}  # fmt: skip


@pytest.mark.parametrize("given", [(), ("--text", "text", "--label", "label")])
@pytest.mark.parametrize("what", FILES)
def test_the_first_message_names_the_command_that_goes_through(harness, root, what, given):
    """Whatever is wrong at once, one command is named, and it goes through."""
    name, content = FILES[what]
    (root / name).write_text(content)
    done, n = followed(harness, ["dataset", "import", name, "--name", "d", *given], most=1)
    assert (done.code, done.err.count("\n") <= 1) == (0, True)
    assert n == 1 or what == "near names"
    assert len(datasets.load(root, "d@v1").label_names) == 2


def test_a_message_names_what_there_is(harness, root):
    """What was found, the columns in their order, the nearest one, and the command; nothing is written."""
    (root / "f.csv").write_text("subject;queues\nx;a\ny;b\n")
    done = harness("dataset", "import", "f.csv", "--name", "d", "--text", "subject", "--label", "queue")
    assert done.code == 2
    assert done.err == (
        "harness: f.csv: there is no column 'queue'; expected one of 'subject', 'queues'; did you mean 'queues'?; "
        "next: harness dataset import f.csv --name d --text subject --label queues\n"
    )
    assert not (root / "datasets" / "d").exists()


def test_no_command_is_named_that_would_fail(harness, root):
    """Where only the file can be changed, no command is promised."""
    (root / "f.csv").write_text("text,label\nx,\ny,a\nz,a\n")
    done = harness("dataset", "import", "f.csv", "--name", "d", "--text", "text", "--label", "label")
    assert done.code == 2
    assert "next:" not in done.err


def test_the_options_of_a_layout(harness, root):
    """`--separator`, `--columns` and `--relabel` do what they say, and JSON counts what was changed."""
    (root / "f.txt").write_text("one~refnd\ntwo~billing\nthree~refund\n")
    done = harness(
        "dataset", "import", "f.txt", "--name", "d", "--text", "t", "--label", "l", "--separator", "~",
        "--columns", "t,l", "--relabel", "refnd=refund", "--json",
    )  # fmt: skip
    told = json.loads(done.out)
    assert told["labels"] == ["billing", "refund"]
    assert told["notes"] == [
        {"how": "repaired", "what": "labels 'refnd' written 'refund'", "n": 1, "where": "f.txt:1", "example": ""}
    ]
    wrong = harness("dataset", "import", "f.txt", "--name", "e", "--text", "t", "--label", "l", "--separator", "ab")
    assert "--separator 'ab' is no separator; expected one character, or one of comma, semic" in wrong.err
