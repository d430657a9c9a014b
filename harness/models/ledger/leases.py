"""Who is still there: every process that uses the ledger has a lease, and renews it while it lives.

What a process claimed or reserved is nobody's once its lease is over. A process that this one can see in the
kernel's own list needs no lease to run out: it is dead as soon as it is gone. No host name counts: containers
get a new one each time, and share the file all the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

from harness.ground.clock import SystemClock

if TYPE_CHECKING:
    from sqlite3 import Connection

BEAT_S = 5.0
LEASE_S = 30.0  # clocks of machines that share a ledger may be this far apart, less a beat
FORGOTTEN_S = 86_400.0
ENDED = ("Z", "X")  # a state of the kernel's: killed, and still in the list because its parent never looked
ended_here: set[str] = set()  # of this process, which lives on, as a notebook does
END = "delete from owners where owner = ?"
RENEW = "insert into owners values (?, ?) on conflict (owner) do update set seen_s = excluded.seen_s"


def new_owner() -> str:
    """A name for this process's use of the ledger; it says where the process can be looked for."""
    return f"{uuid4().hex} {_place()} {os.getpid()} {_started(os.getpid())}"


def renew(connection: Connection, owner: str) -> None:
    """Say that the owner is still there."""
    now_s = SystemClock().now().timestamp()
    connection.execute(RENEW, [owner, now_s])
    connection.execute("delete from owners where seen_s < ?", [now_s - FORGOTTEN_S])


def is_alive(connection: Connection, owner: str) -> bool:
    """Whether an owner still uses the ledger."""
    found = connection.execute("select seen_s from owners where owner = ?", [owner]).fetchone()
    if found is None:
        return False
    return runs_here(owner, otherwise=SystemClock().now().timestamp() - found[0] < LEASE_S)


def runs_here(owner: str, *, otherwise: bool) -> bool:
    """Whether an owner's process runs, where this process would see it; its lease says so otherwise."""
    if owner in ended_here:
        return False
    _, place, pid, started = owner.split(" ")
    return _runs(int(pid), started) if place and place == _place() else otherwise


def _runs(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(pid) == started  # of a process that ended and that nobody has waited for: none


def _place() -> str:
    """The running kernel and the list of processes that this one is in; empty where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            state, *rest = file.read().rpartition(")")[2].split()
            return "" if state in ENDED else rest[18]
    except (OSError, IndexError, ValueError):
        return ""
