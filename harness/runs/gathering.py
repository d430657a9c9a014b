"""Runs that are done, stored in groups: many short ones would each open the store three times, which takes longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.ground.clock import Clock
    from harness.types import Prediction, Run

    WholeRuns = Sequence[tuple[Run, Sequence[Prediction]]]

HELD_S = 5.0
"""No run is held back for longer, so that a command that is killed has lost little."""
MOST_ROWS = 100_000


class Gathering:
    """Stores whole runs: the first at once, then those of some seconds together; `close` stores the rest.

    What is held when Ctrl-C stops a write is still there for `close`; what the store refuses is not tried again.
    """

    def __init__(self, store: Callable[[WholeRuns], None], clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._runs: list[tuple[Run, Sequence[Prediction]]] = []
        self._due_s = clock.monotonic()

    def add(self, run: Run, predictions: Sequence[Prediction]) -> None:
        """Take a run that is done."""
        self._runs.append((run, predictions))

    def store_due(self) -> None:
        """Store what is held, if it is time."""
        is_much = sum(len(predictions) for _, predictions in self._runs) >= MOST_ROWS
        if is_much or self._clock.monotonic() >= self._due_s:
            self.close()

    def close(self) -> None:
        """Store what is held."""
        runs, self._runs = self._runs, []
        if not runs:
            return
        try:
            self._store(runs)
        except KeyboardInterrupt:
            self._runs = runs
            raise
        self._due_s = self._clock.monotonic() + HELD_S
