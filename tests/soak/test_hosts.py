"""Containers that share a ledger: another host name, another list of processes, and a neighbour that is killed."""

import shutil
import subprocess
import sys

import pytest

from tests import processes
from tests.loopback import serve

CONTAINER = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]


def may_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*CONTAINER, "hostname", "other"], capture_output=True, check=False).returncode == 0


def contained(root, *arguments):
    """A command in a container of its own."""
    script = f'hostname other; exec {sys.executable} -m harness "$@"'
    return processes.program(root, *CONTAINER, "sh", "-c", script, "sh", *arguments)


@pytest.mark.parametrize("is_killed", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["alive", "killed"])
def test_two_hosts_pay_once(root, is_killed):
    """While the other lives its answers are waited for; once it is killed its requests are asked again, no others."""
    if not may_unshare():
        pytest.skip("only root may make a container here")
    command = ["eval", "--prompt", "v1", "--model", "openai/m", "--json", "--base-url"]
    with serve(lambda said: "bug", held_from=6) as server:
        first = contained(root, *command, server.openai_url, "--concurrency", "4")
        processes.until(lambda: len(server.requests) == 10, first)
        if is_killed:
            first.kill()
            first.communicate()
            server.released.set()
        second = processes.harness(root, *command, server.openai_url)
        if not is_killed:
            processes.until(lambda: len(server.requests) > 10, second)  # it asks what nobody else does
            server.released.set()
            processes.printed(first)
        processes.printed(second)
        asked = [body["messages"][-1]["content"] for body in server.requests]
    assert len(asked) - len(set(asked)) == (4 if is_killed else 0)
