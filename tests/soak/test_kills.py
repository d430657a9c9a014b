"""kill -9 at any moment of any command that writes: nothing paid is lost, and the same command finishes."""

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event

import pytest

from harness import datasets
from harness.ground.clock import SystemClock
from tests import processes
from tests.loopback import serve
from tests.loopback_batches import Batches
from tests.soak import sound

SETTINGS = """dataset = "tickets@v1"
arms = ["majority", "tag-odds"]
[prices."openai/m"]
input_fresh = 2.0
output_visible = 10.0
batch = 0.5
"""
GATE = """[gate]
arm = "tag-odds"
baseline = "majority"
"""


@dataclass
class Case:
    """A command that is killed, and what it must have done in the end."""

    arguments: Callable[[str], list[str]]
    first: list[list[str]] = field(default_factory=list)  # commands that lay the ground
    codes: tuple[int, ...] = (0,)
    again: Callable[[Path], None] = lambda root: None  # between two kills: what makes it write again


def asking(*more):
    return lambda url: ["eval", "--prompt", "v1", "--model", "openai/m", "--base-url", url, "--json", *more]


def without_store(root):
    (root / "results" / "harness.duckdb").unlink(missing_ok=True)
    (root / "results" / "harness.duckdb.wal").unlink(missing_ok=True)


def without_import(root):
    shutil.rmtree(root / "datasets" / "large", ignore_errors=True)


IMPORT = ["dataset", "import", "large.csv", "--name", "large", "--text", "text", "--label", "label", "--json"]
CURVE = ["curve", "tfidf-svm", "--labels", "6,12,24", "--seeds", "60", "--all-sizes", "--processes", "2", "--json"]
CASES = {
    "eval": Case(asking("--concurrency", "2")),
    "flush": Case(
        asking(), first=[asking()("URL")], again=without_store
    ),  # served from the ledger: the store is written
    "import": Case(lambda url: IMPORT, again=without_import),
    "rm": Case(lambda url: ["runs", "rm", "majority"], first=[["baselines"]], codes=(0, 2)),
    "batch": Case(asking("--batch")),
    "gate": Case(lambda url: ["gate", "--json"], first=[["baselines", "--arm", "majority"]], codes=(0, 1, 4)),
    "report": Case(lambda url: ["report", "--json"], first=[["baselines"]]),
    "curve": Case(lambda url: CURVE),  # its fits are stored in groups, so each kill leaves less to do
}
KILLS = {"eval": 12, "flush": 8, "import": 8, "rm": 8, "batch": 8, "gate": 8, "report": 8, "curve": 8}
CELLS = [
    pytest.param(name, kills, marks=[] if kills == 1 else pytest.mark.soak, id=f"{name}-{kills}")
    for name, kills in [("import", 1), *KILLS.items()]
]


def prepared(root: Path) -> None:
    (root / "harness.toml").write_text(SETTINGS + GATE)
    rows = "\n".join(f"text number {i} of many,{'ab'[i % 2]}" for i in range(20_000))
    (root / "large.csv").write_text(f"text,label\n{rows}\n")


def run(root: Path, arguments: list[str]) -> tuple[int, str, str]:
    process = processes.harness(root, *arguments)
    out, err = process.communicate(timeout=processes.HANGS_S)
    return process.returncode, out, err


@pytest.mark.parametrize(("name", "kills"), CELLS)
def test_kills(root, tmp_path_factory, name, kills):
    """After each kill all is whole, nothing acknowledged is asked again, and the end is that of an unharmed run."""
    case, moments, clock = CASES[name], Random(name), SystemClock()
    prepared(root)
    with ExitStack() as servers:
        server = servers.enter_context(serve(lambda said: "bug", latency_s=0.02, batch=Batches(looks=2)))
        for command in case.first:
            code, _, err = run(root, [server.openai_url if word == "URL" else word for word in command])
            assert code == 0, err
        whole = shutil.copytree(root, tmp_path_factory.mktemp("whole") / "whole")
        case.again(whole)
        arguments = case.arguments(server.openai_url)
        start_s = clock.monotonic()
        code, unharmed, err = run(whole, arguments)
        took_s = clock.monotonic() - start_s
        assert code in case.codes, err
        server.requests.clear()
        server.batch.asked.clear()
        kept = sound.check(root, set())
        for _ in range(kills):
            case.again(root)
            process = processes.harness(root, *arguments)
            Event().wait(took_s * moments.uniform(0.2, 1.0))
            process.kill()
            process.communicate()
            kept = sound.check(root, kept)
        if name == "import" and "large@v1" in datasets.refs(root):
            code, out, _ = run(root, ["dataset", "show", "large@v1", "--json"])
        else:
            code, out, err = run(root, arguments)
        asked = [json.dumps(body, sort_keys=True) for body in server.requests]
    assert code in case.codes, err
    if out and unharmed and code == 0 and name in ("eval", "flush", "batch", "curve"):
        assert sound.bare(out) == sound.bare(unharmed)
    sound.check(root, kept)
    assert len(asked) - len(set(asked)) <= 2 * kills, "more was asked again than can have been in flight"
    assert len(server.batch.asked) == len(set(server.batch.asked))
    left = [path.name for path in (root / "results").glob(".*")] if (root / "results").exists() else []
    assert len(left) <= kills
