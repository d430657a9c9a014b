"""The command line in processes of its own: for tests that stop it, kill it, or run two at once."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

HANGS_S = 600.0  # no machine that works is as slow as that
LOOK_S = 0.01


def start(root: Path, *arguments: str) -> subprocess.Popen:
    """Python in a workspace."""
    return program(root, sys.executable, *arguments)


def start_shell(root: Path, before: str, *arguments: str) -> subprocess.Popen:
    """A command, started by a shell that does something first."""
    return program(root, "bash", "-c", f'{before}; exec {sys.executable} -m harness "$@"', "bash", *arguments)


def program(root: Path, *command: str) -> subprocess.Popen:
    """Any program in a workspace, with no environment but what it needs."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    return subprocess.Popen(command, cwd=root, env=environment, **pipes)


def harness(root: Path, *arguments: str) -> subprocess.Popen:
    """A command, started."""
    return start(root, "-m", "harness", *arguments)


def until(condition: Callable[[], bool], *running: subprocess.Popen) -> None:
    """Wait until something has happened that one of the processes does; it fails when all have ended without."""
    for _ in range(round(HANGS_S / LOOK_S)):
        if condition():
            return
        if all(process.poll() is not None for process in running) and not condition():
            pytest.fail(f"it ended with {running[0].returncode} before: {running[0].communicate()[1]}")
        threading.Event().wait(LOOK_S)
    for process in running:
        process.kill()
    pytest.fail(f"it did not come to that in {HANGS_S:.0f} s")


def printed(process: subprocess.Popen) -> str:
    """What a process that must succeed has printed, once it has ended."""
    out, err = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0, err
    return out
