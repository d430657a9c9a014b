"""What a driver of a cluster sees, as JSON: numbers here and there, variables of workers, a worker killed."""

import json
import os
import sys
from hashlib import sha256

from harness.errors import HarnessError
from harness.ground.spread_settings import Spread
from harness.runs import executors
from harness.runs.executors.inline import Inline
from tests.runs import work


def digests(executor):
    return [sha256(product).hexdigest() for product, _ in executors.in_order(executor, work.summed, range(4))]


def refused(executor):
    try:
        executor.submit(work.refuse, 7).result()
    except HarnessError as error:
        return f"{type(error).__name__}: {error}"
    return None


def at_once(address, workers, folder):
    """How many tasks are under way at most."""
    executor = executors.connect(Spread("ray", address, workers))
    waiting = [executor.submit(work.beside, folder) for _ in range(6)]
    return max(future.result() for future in waiting)


def left(executor, folder):
    """Whether what had not begun is not done when the driver leaves."""
    waiting = [executor.submit(work.beside, folder) for _ in range(30)]
    waiting[0].result()
    executor.close()
    return all(future.done() for future in waiting) and waiting[-1].cancelled()


def main(address, folder):
    assert os.environ["OPENAI_API_KEY"]
    mark, marks = os.path.join(folder, "mark"), os.path.join(folder, "marks")
    os.mkdir(marks)
    cluster = executors.connect(Spread("ray", address, 2))
    try:
        told = {
            "here": digests(Inline()),
            "there": digests(cluster),
            "squares": list(executors.in_order(cluster, work.squared, range(20))),
            "seen": sorted(
                {name for names, _ in executors.in_order(cluster, work.environment, range(4)) for name in names}
            ),
            "refused": refused(cluster),
            "after_a_kill": [isinstance(pid, int) for pid in executors.in_order(cluster, work.die_once, [mark])],
            "at_once": {n: at_once(address, n, marks) for n in (1, 2)},
            "left": left(executors.connect(Spread("ray", address, 1)), marks),
        }
    finally:
        cluster.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
