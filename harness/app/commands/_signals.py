"""Ctrl-C, SIGTERM and SIGHUP are one request. Every command starts here, so nothing heavy is imported."""

from __future__ import annotations

import signal

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def as_ctrl_c() -> None:
    """Let every such signal raise `KeyboardInterrupt`, but for a hang-up that nohup has silenced."""
    for number in SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
