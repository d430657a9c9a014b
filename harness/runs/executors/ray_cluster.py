"""Work done on a Ray cluster that runs already. None is started here, and no key goes there."""

from __future__ import annotations

import os
import socket
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness import __version__
from harness.errors import ConfigError
from harness.runs.executors.alone import alone, scrub
from harness.runs.executors.lost import ATTEMPTS, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")
LOOPBACK = "127."
CLIENT = "ray://"
REACHED_S = 5.0


class RayCluster:
    """An executor over the workers of a cluster; each has this package, in this version, and the workspace's folder.

    A cluster does as much at once as it has processors; how much of it is ours to use is kept here.
    """

    def __init__(self, ray: Any, workers: int) -> None:  # noqa: ANN401  (an extra's module)
        self._ray, self.workers = ray, workers
        self._remote = ray.remote(max_retries=ATTEMPTS - 1)(_on_worker)
        self._threads = ThreadPoolExecutor(workers, "cluster")  # each waits for one task
        self._left: Future[None] = Future()

    def submit(self, work: Callable[[A], B], task: A) -> Future[B]:
        """The result of a worker; Ray gives a task whose worker ended to another."""
        return self._threads.submit(self._done, work, task)

    def close(self) -> None:
        """Leave the cluster; what it does for us ends, and what has not begun is not done."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if not self._left.done():
            self._left.set_result(None)
        self._threads.shutdown(wait=True)
        self._ray.shutdown()

    def _done(self, work: Callable[[A], B], task: A) -> B:
        result: Future[Any] = self._remote.remote(work, task, __version__).future()
        wait((result, self._left), return_when=FIRST_COMPLETED)  # Ray answers nobody who has left
        if not result.done():
            raise CancelledError
        error = result.exception()
        if error is None:
            return cast("B", result.result())
        if not isinstance(error, self._ray.exceptions.RayTaskError):
            raise WorkerLost(
                f"the cluster lost a task {ATTEMPTS} times ({_line(error)}); what was done is kept, and the same "
                "command goes on"
            )
        raise error.cause if isinstance(error.cause, Exception) else error


def connect(address: str | None, workers: int | None) -> RayCluster:
    """The cluster at an address; `ConfigError` without the extra, an address, or somebody there."""
    if find_spec("ray") is None:
        raise ConfigError("executor = \"ray\" needs a package that is not installed: pip install 'prompt-harness[ray]'")
    where = address or os.environ.get("RAY_ADDRESS")
    if where is None:
        raise ConfigError(
            'executor = "ray" needs a cluster that runs: set address = "HOST:PORT" beside it in [spread] '
            "(ray start --head prints it)"
        )
    _check_reached(where)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # noqa: PLC0415  (an extra, and a second to import)

    host = where.removeprefix(CLIENT).partition(":")[0]
    here = {"_node_ip_address": host} if host.startswith(LOOPBACK) and not where.startswith(CLIENT) else {}
    try:
        ray.init(address=where, log_to_driver=False, configure_logging=False, ignore_reinit_error=True, **here)
    except (ray.exceptions.RayError, RuntimeError, OSError, ValueError) as error:
        raise ConfigError(
            f"the Ray cluster at {where} cannot be used: {_line(error)}; where its nodes have RAY_AUTH_TOKEN, set the "
            "same here, with RAY_AUTH_MODE=token"
        ) from None
    return RayCluster(ray, workers or max(1, int(ray.cluster_resources().get("CPU", 1))))


def _on_worker(work: Callable[[Any], Any], task: object, version: str) -> object:
    """What a worker of the cluster does, of whatever whoever started it had in the environment nothing in sight."""
    scrub(os.environ)
    if version != __version__:
        raise ConfigError(f"a worker of the cluster has harness {__version__}, and here is {version}; install the same")
    return alone(work, task)


def _check_reached(where: str) -> None:
    """Raise where nobody listens: Ray itself would try for a minute."""
    host, _, port = where.removeprefix(CLIENT).rpartition(":")
    if where == "auto":
        return
    if not host or not port.isdigit():
        raise ConfigError(f"address = {where!r}: expected HOST:PORT, ray://HOST:PORT or auto")
    try:
        with socket.create_connection((host, int(port)), REACHED_S), suppress(OSError):
            pass
    except OSError as error:
        raise ConfigError(f"no Ray cluster answers at {where} ({_line(error)}); ray status --address {where}") from None


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
