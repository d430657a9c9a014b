"""`ship` and what it ships: folders that answer as the stored run did, alone, and refuse to when they were changed."""

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness.app.project.shipping import write
from harness.app.serving import packaged, sources
from harness.app.serving.folder import MANIFEST, Damaged, checked_files, manifest_of
from harness.app.serving.server import Limits
from harness.app.serving.server import items_of as items_of_body
from tests.app.standing import BASELINES, FUSIONS, RECIPE, released, stored_answers
from tests.processes import HANGS_S

ALONE = [name for name in BASELINES if name != "rules"]
NEEDED = {"numpy", "onnxruntime", "tokenizers"}
# A finder that lets nothing in but the standard library and what requirements.txt names; then each serve.py in turn.
BLOCKED = """
import sys, runpy
allowed = set({allowed!r}) | set(sys.stdlib_module_names)
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if path is None and name.split('.')[0] not in allowed:
            raise ImportError('blocked: ' + name)
sys.meta_path.insert(0, Blocked())
for script, given, told in {jobs!r}:
    sys.argv = [script, *{arguments!r}]
    if given:
        sys.stdin, sys.stdout = open(given, encoding='utf-8'), open(told, 'w', encoding='utf-8')
    runpy.run_path(script, run_name='__main__')
    sys.stdout.flush()
"""
# What the three packages import of each other and of their own.
PACKAGES = {"numpy": {"numpy"}, "onnxruntime": {"onnxruntime", "flatbuffers", "google"}, "tokenizers": {"tokenizers"}}


@pytest.fixture
def workspace(standing):
    """Every baseline, a prompt, and fusions with choices on dev."""
    return standing


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Where the arms are shipped to, each once for all tests; who changes a folder takes a copy."""
    root = tmp_path_factory.mktemp("folders")
    (root / "recipe.toml").write_text(RECIPE)
    return root


@pytest.fixture
def ship(harness, workspace, folders, monkeypatch):
    """Ships an arm, and stands where its folder is; `to` is a folder of a test's own."""
    monkeypatch.chdir(folders)

    def shipped(arm, *options, to=None):
        folder = folders / (to or re.sub("[:>+]", "-", arm))
        if to is None and folder.exists():
            return folder
        where = ("--root", str(workspace), "--dataset", "mail@v1")
        done = harness("ship", arm, "--to", str(folder), *where, "--model", "fake/recipe.toml", "--json", *options)
        assert done.code == 0, done.err
        return folder

    return shipped


def needs(folder):
    """The packages that a folder names."""
    return frozenset(line.partition("==")[0] for line in (folder / "requirements.txt").read_text().split())


def alone(folder, *arguments, jobs=None):
    """The command that serves a folder with nothing importable but what its requirements name.

    `jobs` are several of the same needs: each one's serve.py, what it reads and where it writes.
    """
    if "prompt-harness" in needs(folder):
        return [sys.executable, str(folder / "serve.py"), *arguments]
    allowed = sorted(set().union(*(PACKAGES[name] for name in needs(folder))))
    script = BLOCKED.format(
        allowed=allowed, jobs=jobs or [(str(folder / "serve.py"), "", "")], arguments=list(arguments)
    )
    return [sys.executable, "-I", "-c", script]


def said(command, given, **where):
    """What came of a process that was given these lines."""
    return subprocess.run(command, check=False, input=given, capture_output=True, text=True, timeout=HANGS_S, **where)


def lines(folder, items):
    """What the folder answers to JSON lines; it is asked from elsewhere."""
    given = "".join(json.dumps(item) + "\n" for item in items)
    cwd = folder.parent
    done = said(alone(folder, "--lines"), given, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def items_of(workspace):
    return [{"id": r["id"], "text": r["text"], "tags": r["tags"].split("|")} for r in released(workspace)]


def check_answers(arm, told, known):
    assert len(told) == len(known)
    for one in told:
        assert (one["label"], one["outcome"]) == (known[one["id"]]["label"], known[one["id"]]["outcome"]), arm
        # Heads in double precision; an encoder computes in single, and beside other texts a digit differs.
        close = 1e-4 if arm.startswith(("minilm", "router")) else 1e-6
        assert one["score"] == pytest.approx(known[one["id"]]["score"], abs=close), arm


@pytest.mark.parametrize("arm", ["prompt:v1", *FUSIONS.values()])
def test_a_folder_of_the_package_answers_as_the_stored_run_did(ship, workspace, arm):
    """A prompt, and every kind of fusion, put together again from their files alone."""
    files = checked_files(ship(arm))
    options = argparse.Namespace(model="fake/recipe.toml", base_url=None, ledger=None)
    with ExitStack() as opened:
        answer = packaged.build(opened, files, options)
        told = answer([items_of_body(json.dumps(one).encode(), Limits())[0][0] for one in items_of(workspace)])
    check_answers(arm, told, stored_answers(workspace, arm))


@pytest.mark.parametrize("wanted", [{"numpy"}, NEEDED])
def test_folders_answer_as_the_stored_runs_did(ship, workspace, tmp_path, wanted):
    """In a process that can import nothing but the folders' requirements: every label, and the scores."""
    given = tmp_path / "given.jsonl"
    given.write_text("".join(json.dumps(item) + "\n" for item in items_of(workspace)))
    shipped = {arm: ship(arm) for arm in ALONE}
    chosen = {arm: folder for arm, folder in shipped.items() if needs(folder) == wanted}
    jobs = [(str(folder / "serve.py"), str(given), str(tmp_path / arm)) for arm, folder in chosen.items()]
    done = said(alone(next(iter(chosen.values())), "--lines", jobs=jobs), "", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for arm, folder in chosen.items():
        told = [json.loads(line) for line in (tmp_path / arm).read_text(encoding="utf-8").splitlines()]
        check_answers(arm, told, stored_answers(workspace, arm))
        assert "accuracy" in (folder / "MODEL_CARD.md").read_text()
    assert all(needs(folder) <= NEEDED for folder in shipped.values())


def test_a_folder_of_rules_answers_as_the_stored_run_did(ship, workspace):
    """In a process of its own, by the package."""
    check_answers("rules", lines(ship("rules"), items_of(workspace)), stored_answers(workspace, "rules"))


@contextmanager
def serving(folder, *options):
    """The folder's server in a process of its own, on a free port; its address."""
    process = subprocess.Popen(
        alone(folder, "--port", "0", *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said = process.stdout.readline()
        assert said.startswith("serving on "), process.stderr.read()
        yield said.split()[-1]
        process.terminate()
        _, err = process.communicate(timeout=HANGS_S)
        assert (process.returncode, err) == (0, "")
    finally:
        process.kill()
        process.communicate()


def post(url, value):
    request = urllib.request.Request(f"{url}/predict", json.dumps(value).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=HANGS_S) as reply:
        return json.load(reply)


@pytest.mark.parametrize("arm", ["minilm-lr", FUSIONS["cascade"]])
def test_a_server_answers_as_the_stored_run_did(ship, workspace, arm):
    """One by one and all at once; /health says who answers; SIGTERM ends it with 0."""
    items, known = items_of(workspace), stored_answers(workspace, arm)
    with serving(ship(arm), *(() if arm in ALONE else ("--model", "fake/recipe.toml"))) as url:
        with urllib.request.urlopen(f"{url}/health", timeout=HANGS_S) as reply:
            assert json.load(reply)["arm"] == arm
        check_answers(arm, post(url, {"items": items})["answers"], known)
        check_answers(arm, [post(url, item) for item in items], known)


def test_the_same_arm_is_the_same_bytes(ship):
    """Two folders of one arm differ in nothing, and a folder can be shipped over itself."""
    one, other = ship("tfidf-lr", "--docker", to="one"), ship("tfidf-lr", "--docker", to="other")
    assert contents(one) == contents(other) == contents(ship("tfidf-lr", "--docker", to="one"))
    assert (one / "Dockerfile").is_file()


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_byte_that_was_changed_is_named(ship, tmp_path):
    """Whichever file it is in, the manifest too: the folder is refused, and the file is named."""
    folder, files = tmp_path / "own", contents(ship("minilm-lr"))
    files["encoder.onnx"] = files["encoder.onnx"][:10_000]  # the whole of it thirty times would take its seconds
    del files[MANIFEST]
    write(files | {MANIFEST: manifest_of(files)}, folder)
    for name, content in contents(folder).items():
        for place in (0, len(content) // 2, len(content) - 1):
            (folder / name).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(Damaged, match=f"({name}|manifest.json) was changed"):
                checked_files(folder)
        (folder / name).write_bytes(content)
    assert checked_files(folder)
    (folder / "model.json").unlink()
    done = said(alone(folder, "--lines"), "")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "model.json cannot be read" in done.stderr


def test_nothing_else_of_a_folder_is_executed(ship, tmp_path):
    """Modules that lie in it under the names of libraries are no code to it."""
    folder = shutil.copytree(ship("minilm-lr"), tmp_path / "own")
    for name in ("numpy.py", "json.py", "tokenizers.py", "argparse.py", "sitecustomize.py"):
        (folder / name).write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    command = [sys.executable, str(folder / "serve.py"), "--lines"]
    done = said(command, '{"text": "refund"}\n', cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert json.loads(done.stdout)["label"] == "billing", done.stderr
    assert not (tmp_path / "executed").exists()


def test_what_cannot_be_shipped_is_said(harness, ship, workspace):
    """One line, exit code 2, and no folder."""
    for arm, to, words in (("nobody", "new", "no run 'nobody'"), ("majority", ".", "is no shipped folder")):
        done = harness("ship", arm, "--to", to, "--root", str(workspace), "--dataset", "mail@v1")
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert words in done.err
    assert not Path("new").exists()


@pytest.mark.parametrize("has_encoder", [True, False])
def test_a_serve_py_imports_no_package_of_ours(has_encoder):
    """It is our own sources, with nothing but the standard library and the three packages."""
    tree = ast.parse(sources.fitted(has_encoder=has_encoder))
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            named.add(node.module.split(".")[0])
    outside = named - set(sys.stdlib_module_names)
    assert outside == (NEEDED if has_encoder else {"numpy"})


def test_a_folder_moves(ship, tmp_path, monkeypatch):
    """Copied elsewhere, and asked from elsewhere, it answers."""
    moved = shutil.copytree(ship("minilm-knn"), tmp_path / "elsewhere" / "arm")
    monkeypatch.chdir(tmp_path)
    assert lines(moved, [{"text": "refund the payment please"}])[0]["label"] == "billing"
