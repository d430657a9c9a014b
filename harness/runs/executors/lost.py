"""Workers that ended before their task was done."""

from __future__ import annotations

from harness.errors import HarnessError

ATTEMPTS = 3
"""So many workers are given a task before it is given up."""


class WorkerLost(HarnessError):
    """Worker after worker ended at a task; what was done is kept, resumable."""

    exit_code = 3
