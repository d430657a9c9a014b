"""A Ray cluster of the tests' own: two nodes on the loopback, in a folder of theirs, ended by their ids."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

HEAD, SECOND = "127.0.0.2", "127.0.0.3"  # not 127.0.0.1: Ray takes another address for it, and waits
STARTS_S, LOOK_S = 60.0, 0.1
REPOSITORY = Path(__file__).parents[2]


class RayNodes:
    """Two nodes of one processor each, started with a key in the environment; with `token`, for who has it alone."""

    def __init__(self, token: str | None = None) -> None:
        self._token = {} if token is None else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        self._folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # the paths of its sockets must be short
        self.address = f"{HEAD}:{_free_port(HEAD)}"
        head = ("--head", f"--port={self.address.rpartition(':')[2]}", "--include-dashboard=false")
        self.processes = [self._node(HEAD, *head, f"--temp-dir={self._folder}")]
        self._until_it_answers()
        self.processes.append(self._node(SECOND, f"--address={self.address}"))

    def close(self) -> None:
        """End both, and remove what they wrote."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _node(self, address: str, *more: str) -> subprocess.Popen:
        ray = Path(sys.executable).with_name("ray")
        options = ("--block", f"--node-ip-address={address}", "--num-cpus=1", "--object-store-memory=83886080",
                   "--disable-usage-stats")  # fmt: skip
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "PYTHONPATH": str(REPOSITORY),
            "RAY_USAGE_STATS_ENABLED": "0",
            "OPENAI_API_KEY": "sk-of-the-cluster",
            **self._token,
        }
        with (self._folder / f"{address}.log").open("w") as log:
            return subprocess.Popen([str(ray), "start", *more, *options], env=environment, stdout=log, stderr=log)

    def _until_it_answers(self) -> None:
        host, _, port = self.address.rpartition(":")
        for _ in range(round(STARTS_S / LOOK_S)):
            with closing(socket.socket()) as attempt:
                if attempt.connect_ex((host, int(port))) == 0:
                    return
            if self.processes[0].poll() is not None:
                break
            threading.Event().wait(LOOK_S)
        log = (self._folder / f"{HEAD}.log").read_text()
        self.close()
        raise RuntimeError(f"Ray did not start: {log[-2000:]}")


def _free_port(address: str) -> int:
    with closing(socket.socket()) as asked:
        asked.bind((address, 0))
        return int(asked.getsockname()[1])
