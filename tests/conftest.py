"""What every test stands on: a tidy environment, no network but loopback, small real workspaces."""

import gc
import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness import datasets
from harness.__main__ import COLLECT_AFTER
from harness.ground.workspace import Preferences, Workspace

# A busy machine is no failure: timings are measured in tests/bench. The usual run tries the same examples each time, so
# that what fails there is what was changed; `make sims` looks for new ones.
settings.register_profile("harness", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", settings.get_profile("harness"), derandomize=False, max_examples=2000)
settings.load_profile("harness")

# As in the `harness` process: looking through a million objects of libraries after each 700 new ones takes a seventh
# of the time that tests take, and finds nothing.
gc.set_threshold(*COLLECT_AFTER)

# What provider files read: a key, an address, a cloud's credentials.
KEY_VARIABLES = (
    *("OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "MISTRAL", "GROQ", "OPENROUTER", "DEEPSEEK", "XAI", "TOGETHER"),
    *("AZURE", "AWS", "BEDROCK", "VERTEX", "CLOUD_ML", "TYPESAFE", "SYSTEMONE"),
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PUBLIC_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

TICKETS = [
    ("my card was charged twice", "billing"),
    ("refund the second payment please", "billing"),
    ("the invoice shows a wrong amount", "billing"),
    ("why was I billed in May", "billing"),
    ("payment failed at checkout", "billing"),
    ("the app crashes when I open it", "bug"),
    ("an error appears after the update", "bug"),
    ("the page stays blank in the browser", "bug"),
    ("login button does nothing", "bug"),
    ("the export stops half way with an error", "bug"),
    ("how do I change my password", "question"),
    ("where can I find the manual", "question"),
    ("can I use it on two computers", "question"),
    ("which plan includes support", "question"),
    ("do you ship to Norway", "question"),
]


@pytest.fixture(autouse=True)
def tidy_environment(monkeypatch):
    """No key and no address of the developer's own machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(KEY_VARIABLES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch):
    """A connection to anything but this machine fails the test that makes it."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address!r}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def write_tickets(root: Path, rows=None, name: str = "tickets") -> Path:
    """A small released dataset: rows of (text, label, tags, split)."""
    path = root / f"{name}.csv"
    given = rows or [
        (f"{text} {i}", label, "|".join(text.split()[:2]), "test" if i % 3 == 0 else "train")
        for i in range(6)
        for text, label in TICKETS
    ]
    lines = ["text,label,tags,split", *(",".join(row) for row in given)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = datasets.ImportSpec(
        name=name, version="v1", text="text", label="label", tags="tags", split_column="split", description="Tickets."
    )
    return datasets.import_file(root, spec, {None: path})


@pytest.fixture
def root(tmp_path) -> Path:
    """A workspace with one dataset, a prompt and rules."""
    small_workspace(tmp_path)
    return tmp_path


def small_workspace(tmp_path: Path) -> None:
    """Make a folder a workspace with one dataset, a prompt and rules."""
    write_tickets(tmp_path)
    (tmp_path / "harness.toml").write_text(
        'dataset = "tickets@v1"\nmodel = "fake/first"\narms = ["majority", "rules", "tag-odds"]\n', encoding="utf-8"
    )
    folder = tmp_path / "prompts" / "tickets"
    folder.mkdir(parents=True)
    (folder / "v1.j2").write_text(
        "---\ndescription: asks\nmodel: {max_tokens: 8}\n---\n{% block user %}\n"
        "Ticket: {{ item.text }}\nLabel:\n{% endblock %}\n",
        encoding="utf-8",
    )
    (folder / "rules-v1.toml").write_text(
        '[[rule]]\nlabel = "billing"\nregex = "charged|refund|invoice|bill|payment"\n'
        '[[rule]]\nlabel = "bug"\nkeyword = "error"\n',
        encoding="utf-8",
    )


@pytest.fixture
def workspace(root) -> Workspace:
    """The same workspace, opened."""
    return Workspace(
        root, Preferences(dataset="tickets@v1", model="fake/first", arms=("majority", "rules", "tag-odds"))
    )
