"""The program of a worker process: tasks come in by one pipe, results go out by another."""

from __future__ import annotations

import os
import pickle
import signal
import sys

from harness.runs.executors.alone import outcome


def main() -> None:
    """Do tasks until there are no more. Whatever they print goes to stderr; Ctrl-C is the starter's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            work, task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        found = outcome(work, task)
        try:
            answer = pickle.dumps(found)
        except (pickle.PicklingError, TypeError, AttributeError) as error:  # a result that cannot travel
            answer = pickle.dumps((False, TypeError(f"{found[1]!r}: {error}")))
        results.write(answer)
        results.flush()


if __name__ == "__main__":
    main()
