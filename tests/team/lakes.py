"""Workspaces whose store is a lake, for the tests of a team."""

import subprocess
import sys
from pathlib import Path

from harness.ground.clock import SystemClock
from harness.store import Store
from harness.store.lake.address import PREFIX, LakeAddress


def address(conninfo: str, root: Path, **more) -> LakeAddress:
    """A lake whose rows are in a folder of a workspace."""
    return LakeAddress(conninfo, f"{root / 'lake'}/", **more)


def opened(conninfo: str, root: Path, wait_s: float | None = 60.0, **more) -> Store:
    """A store in a lake."""
    return Store(address(conninfo, root, **more), SystemClock(), wait_s=wait_s)


def settle(root: Path, conninfo: str) -> None:
    """Let a workspace have its store in a lake."""
    path = root / "harness.toml"
    path.write_text(f'db = "{PREFIX}{conninfo}"\ndb_data = "lake"\n' + path.read_text(encoding="utf-8"))


def harness(root: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """What a command prints on stdout, run as a process of its own in a workspace; it must end with `code`."""
    done = run(root, *arguments, **environment)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def run(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """A command, ended."""
    command = [sys.executable, "-m", "harness", *arguments]
    known = {"PATH": "/usr/bin:/bin", "HOME": str(root), "COLUMNS": "120", **environment}
    return subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, timeout=240, check=False)
