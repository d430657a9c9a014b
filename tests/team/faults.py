"""Processes at one work of which some are killed, while the server crashes: at moments that the work itself reaches."""

import subprocess
from collections.abc import Callable, Sequence
from random import Random

from tests import processes


class Team:
    """Processes that run, and what those have printed that ended: `ended` has (process, stdout, stderr)."""

    def __init__(self, *running: subprocess.Popen) -> None:
        self.running = [*running]
        self.ended: list[tuple[subprocess.Popen, str, str]] = []

    def join(self, *more: subprocess.Popen) -> None:
        self.running += more

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has happened that they do; fails when all have ended without."""
        processes.until(condition, *self.running)

    def kill(self, number: int) -> subprocess.Popen:
        """kill -9 of one of them; it has ended when this returns."""
        process = self.running.pop(number)
        process.kill()
        self.ended.append((process, *process.communicate()))
        return process

    def finish(self, codes: Sequence[int] = (0,)) -> None:
        """Wait for all that run; each must end with one of the codes."""
        while self.running:
            process = self.running.pop(0)
            out, err = process.communicate(timeout=processes.HANGS_S)
            assert process.returncode in codes, err
            self.ended.append((process, out, err))

    @property
    def printed(self) -> list[str]:
        return [out for _, out, _ in self.ended]


def two_kills_and_a_crash(
    rng: Random, postgres, team: Team, count: Callable[[], int], last: int, after: Callable[[], None] = lambda: None
) -> None:
    """Kill two of a team and crash the server, in any order, each when `count` has come to a number up to `last`.

    The server crashes as a whole, or one of its processes is killed and it recovers by itself.
    """
    crash = rng.choice((postgres.restart, postgres.kill_one))
    faults = [crash, *[lambda: team.kill(rng.randrange(len(team.running)))] * 2]
    rng.shuffle(faults)
    for moment, fault in zip(sorted(rng.sample(range(2, last), 3)), faults, strict=True):
        team.until(lambda moment=moment: count() >= moment)
        fault()
        after()
