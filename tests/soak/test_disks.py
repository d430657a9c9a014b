"""A disk that is full or read-only, files that cannot be opened: one line, nothing half-written, and it goes on."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from tests import processes
from tests.loopback import serve
from tests.soak import sound

SETTINGS = 'dataset = "tickets@v1"\narms = ["majority", "tag-odds"]\n[gate]\narm = "tag-odds"\nbaseline = "majority"\n'
COMMANDS = {
    "baselines": [["baselines"]],
    "eval": [["eval", "--prompt", "v1", "--model", "openai/m", "--base-url", "URL"]],
    "import": [["dataset", "import", "large.csv", "--name", "large", "--text", "text", "--label", "label"]],
    "report": [["baselines"], ["report"]],
    "export": [["baselines"], ["runs", "export", "majority"]],
    "rm": [["baselines"], ["runs", "rm", "majority"]],
    "forget": [["baselines"], ["forget", "--dataset", "tickets", "--text", "why was I billed in May 0"]],
    "gate": [["baselines", "--arm", "majority"], ["gate"]],
}
LARGE = 1 << 26


def may_mount() -> bool:
    return (
        os.geteuid() == 0 and shutil.which("mount") is not None and not mount("-t", "tmpfs", "--fake", "none", "/mnt")
    )


def mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode


@contextmanager
def disk(root, tmp_path_factory):
    """The workspace on a disk of its own, whose size and rights can be changed."""
    if not may_mount():
        pytest.skip("only root may mount a disk of a given size")
    place = tmp_path_factory.mktemp("disk")
    if mount("-t", "tmpfs", "-o", f"size={LARGE}", "none", str(place)):
        pytest.skip("no disk can be mounted here")
    try:
        yield shutil.copytree(root, place / "w")
    finally:
        mount("-o", f"remount,rw,size={LARGE}", str(place))
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def run(root, command, shell=""):
    start = processes.start_shell(root, shell, *command) if shell else processes.harness(root, *command)
    out, err = start.communicate(timeout=processes.HANGS_S)
    return start.returncode, out, err


def laid(root, name, url):
    """The ground is laid; the command that will fail."""
    (root / "harness.toml").write_text(SETTINGS)
    if name == "import":
        rows = "\n".join(f"text number {i} of many,{'ab'[i % 2]}" for i in range(20_000))
        (root / "large.csv").write_text(f"text,label\n{rows}\n")
    *first, last = [[url if word == "URL" else word for word in command] for command in COMMANDS[name]]
    for command in first:
        code, _, err = run(root, command)
        assert code == 0, err
    return last


def cells(first, others):
    """The first runs by default, the others in the soak."""
    return [pytest.param(*first), *(pytest.param(*one, marks=pytest.mark.soak) for one in others)]


# Every command at one size of disk or another, and what the others are made with at each.
ROOMS = [("eval", 0), ("eval", 300), ("import", 0), ("import", 900), ("report", 900), ("export", 0), ("rm", 0)]
ROOMS += [("forget", 0), ("forget", 900), ("gate", 40), ("baselines", 0), ("baselines", 900)]
FILES = [("baselines", 16), ("import", 40), ("report", 70), ("forget", 70), ("gate", 64)]


@pytest.mark.parametrize(("name", "room"), cells(("baselines", 40), ROOMS))
def test_a_full_disk(root, tmp_path_factory, name, room):
    """However little room there is: one line, what was kept is whole, and with room the same command finishes."""
    with serve(lambda said: "bug") as server, disk(root, tmp_path_factory) as there:
        command = laid(there, name, server.openai_url)
        place, kept = there.parent, sound.check(there, set())
        used = shutil.disk_usage(place).used
        assert mount("-o", f"remount,size={used + room * 1024}", str(place)) == 0
        code, _, err = run(there, command)
        sound.one_line(code, err)
        assert mount("-o", f"remount,size={LARGE}", str(place)) == 0
        sound.check(there, kept)
        finishes(there, command, name, is_done=code in ENDS.get(name, (0,)))
        sound.check(there, kept)


@pytest.mark.parametrize("name", cells(("import",), [(name,) for name in COMMANDS if name != "import"]))
def test_a_read_only_disk(root, tmp_path_factory, name):
    """Exit code 2 or 3 and one line; once it may be written, the same command finishes."""
    with serve(lambda said: "bug") as server, disk(root, tmp_path_factory) as there:
        command = laid(there, name, server.openai_url)
        assert mount("-o", "remount,ro", str(there.parent)) == 0
        code, _, err = run(there, command)
        sound.one_line(code, err)
        assert code in (2, 3) or name == "gate"
        assert mount("-o", "remount,rw", str(there.parent)) == 0
        finishes(there, command, name, is_done=code in ENDS.get(name, (0,)))
        sound.check(there, set())


@pytest.mark.parametrize(("name", "files"), cells(("eval", 24), FILES))
def test_few_files_may_be_open(root, name, files):
    """As many as there may be: it ends, or says in one line that they are too few; with more it finishes."""
    with serve(lambda said: "bug") as server:
        command = laid(root, name, server.openai_url)
        code, _, err = run(root, command, shell=f"ulimit -n {files}")
        sound.one_line(code, err)
        finishes(root, command, name, is_done=code in ENDS.get(name, (0,)))
        sound.check(root, set())


ENDS = {"gate": (0, 1, 4), "forget": (0, 1)}  # a verdict; a file of one's own holds it
DONE_ALREADY = {"import": (2,), "forget": (2,), "rm": (2,)}  # it is there; it is gone


def finishes(root, command, name, *, is_done):
    """The same command again, with room, ends as it should."""
    code, _, err = run(root, command)
    again = DONE_ALREADY.get(name) if is_done else None
    assert code in (again or ENDS.get(name, (0,))), err
