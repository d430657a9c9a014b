"""Work done in processes beside this one: each does a task at a time, and is replaced when it ends."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness.runs.executors.alone import import_paths, kept
from harness.runs.executors.lost import ATTEMPTS, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

A = TypeVar("A")
B = TypeVar("B")
PROGRAM = "harness.runs.executors.worker"


class Processes:
    """An executor over processes of this machine. They are started when there is work, with a clean environment."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, "worker")  # each waits for one process
        self._processes = [_Process() for _ in range(workers)]
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._is_closing = False
        for process in self._processes:
            self._idle.put(process)

    def submit(self, work: Callable[[A], B], task: A) -> Future[B]:
        """The result of a process; a task whose process ended is given to another, `ATTEMPTS` times at most."""
        return self._threads.submit(self._done, work, task)

    def close(self) -> None:
        """End the processes, at once."""
        self._is_closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.kill()
        self._threads.shutdown(wait=True)
        for process in self._processes:
            process.close()

    def _done(self, work: Callable[[A], B], task: A) -> B:
        process = self._idle.get()
        try:
            for _ in range(ATTEMPTS):
                if self._is_closing:
                    break
                answer = process.ask(work, task)
                if answer is not None:
                    is_result, value = answer
                    if is_result:
                        return cast("B", value)
                    raise value
        finally:
            self._idle.put(process)
        raise WorkerLost(
            f"{ATTEMPTS} processes ended at the same task (exit code {process.exit_code}; -9 is mostly a lack of "
            "memory); use fewer workers; what was done is kept, and the same command goes on"
        )


class _Process:
    """One worker: started when it is first asked, and again after it ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.exit_code: int | None = None

    def ask(self, work: Callable[[Any], Any], task: object) -> tuple[bool, Any] | None:
        """Whether the work came to a result, and that or what it raised; None when the process ended meanwhile."""
        message = pickle.dumps((work, task))  # an error of it must not leave half a message in the pipe
        if self._process is None:
            self._process = _started()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(message)
            process.stdin.flush()
            is_result, value = pickle.load(process.stdout)
            return bool(is_result), value
        except (EOFError, OSError, pickle.UnpicklingError):
            self.close()
            return None

    def kill(self) -> None:
        """Make it end; whoever waits for its answer is told."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End it, and let go of its pipes."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        self.exit_code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not written yet is for nobody
                    pipe.close()


def _started() -> subprocess.Popen[bytes]:
    environment = {**kept(os.environ), "PYTHONPATH": os.pathsep.join(import_paths(sys.path))}
    return subprocess.Popen(
        [sys.executable, "-m", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
