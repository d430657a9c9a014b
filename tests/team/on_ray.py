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


def main(address, mark):
    assert os.environ["OPENAI_API_KEY"]
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
        }
    finally:
        cluster.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
