"""What the benches share: a workspace of any size, a fast server, and whole commands under the clock."""

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from harness.ground.clock import SystemClock

CHECKOUT = Path(__file__).parents[2]
HOMES = CHECKOUT / ".venv" / "peers"
INSTALL_TIMEOUT_S = 900
LABELS = ("alpha", "beta", "gamma", "delta")
PROMPT = """---
output: label
model: {max_tokens: 5, temperature: 0}
---
{% block system %}Classify the text into one of: {{ labels | map(attribute="name") | join(", ") }}.{% endblock %}
{% block user %}{{ item.text }}{% endblock %}
"""


@dataclass(frozen=True)
class Measured:
    """A command that ended: its exit code, seconds, peak memory in MB, what it printed, seconds of computing."""

    code: int
    seconds: float
    peak_mb: float
    out: str
    err: str
    cpu_s: float


def install(home: Path, packages: Sequence[str], *, npm: bool = False) -> str | None:
    """Packages in an environment of their own: None when they are there, otherwise why not."""
    if (home / "ready").exists():
        return None
    home.mkdir(parents=True, exist_ok=True)
    if npm:
        steps = [["npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", *packages]]
    else:
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages]
        steps = [[sys.executable, "-m", "venv", str(home)], pip]
    for step in steps:
        try:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            return said[-1] if said else "no reason given"
    (home / "ready").touch()
    return None


def rows(n: int) -> list[tuple[str, str, str]]:
    """Ids, texts and labels; a text names its label, so a server can answer without knowing more."""
    draw = Random(0)
    named = [(i, draw.choice(LABELS)) for i in range(n)]
    return [(f"r{i}", f"item {i} {label} and some more words to classify here", label) for i, label in named]


def workspace(root: Path, n: int) -> Path:
    """A workspace with `n` test items (and a few to train on) and one prompt."""
    (root / "prompts" / "speed").mkdir(parents=True)
    (root / "prompts" / "speed" / "v1.j2").write_text(PROMPT)
    (root / "harness.toml").write_text('dataset = "speed@v1"\n')
    with (root / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label", "split"])
        writer.writerows([*row, "test"] for row in rows(n))
        writer.writerows([f"t{i}", f"item t {label} more", label, "train"] for i, label in enumerate(LABELS * 10))
    options = ["--text", "text", "--label", "label", "--id", "id", "--split-column", "split"]
    done = measured(root, "-m", "harness", "dataset", "import", "rows.csv", "--name", "speed", *options)
    assert done.code == 0, done.err
    return root


def measured(root: Path, *arguments: str) -> Measured:
    """A Python command in its own process, from its start to its end."""
    clock = SystemClock()
    start_s = clock.monotonic()
    out, err = root / ".out", root / ".err"
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=root, stdout=stdout, stderr=stderr, env=environment(root)
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = clock.monotonic() - start_s
    process.returncode = os.waitstatus_to_exitcode(status)  # wait4 has told us what Popen would ask for
    cpu_s = usage.ru_utime + usage.ru_stime
    return Measured(process.returncode, seconds, usage.ru_maxrss / 1024, out.read_text(), err.read_text(), cpu_s)


def environment(root: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(root), "OPENAI_API_KEY": "sk-bench", "PYTHONPATH": str(CHECKOUT)}


@contextmanager
def fast_server(latency_s: float):
    """The address of a server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.fast_server", str(latency_s)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def table(capsys):
    """Prints the lines of a result table past pytest's capture."""

    def show(*lines: str) -> None:
        with capsys.disabled():
            print("", *lines, sep="\n")

    return show
