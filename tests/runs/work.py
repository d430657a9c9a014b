"""Work for executors to do: functions at the top of a module, as a worker needs them."""

import os
import signal
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from harness.errors import ConfigError
from harness.ground.clock import SystemClock


def squared(n):
    return n * n


def environment(_):
    """The names of the worker's variables, as Python and as the system see them."""
    system = Path("/proc/self/environ")
    told = system.read_bytes().split(b"\0") if system.exists() else []
    return sorted(os.environ), sorted(entry.partition(b"=")[0].decode() for entry in told if entry)


def refuse(n):
    raise ConfigError(f"{n} is refused")


def refuse_two(n):
    return refuse(n) if n == 2 else n


def shout(n):
    print("noise on stdout")
    return n


def summed(seed):
    """A product whose last digits depend on how many threads compute it, and how many those are."""
    matrix = np.random.default_rng(seed).normal(size=(300, 300))
    return (matrix @ matrix @ matrix).tobytes(), [one["num_threads"] for one in threadpool_info()]


def die_once(path):
    """The first worker that gets this kills itself; the next one says who it is."""
    mark = Path(path)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def beside(folder):
    """How many are seen to do this at once; it takes a tenth of a second, so that others would be seen."""
    mark = Path(folder) / str(os.getpid())
    mark.touch()
    seen = []
    for _ in range(10):
        seen.append(len(list(mark.parent.iterdir())))
        SystemClock().pause(0.01)
    mark.unlink()
    return max(seen)
