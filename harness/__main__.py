"""The `harness` command and `python -m harness`: the command line as a process of its own."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.app.cli import main

if TYPE_CHECKING:
    from typing import NoReturn

FAILED = 1
# Libraries make a million objects that stay; looking through them each time 700 more have been made finds nothing.
COLLECT_AFTER = (50_000, 50, 50)


def run() -> NoReturn:
    """Run the command line, and leave as soon as everything that must happen at the end has happened.

    Python then takes each imported module apart, which takes half a second and does nothing for anybody.
    Registered before anything else, `leave` comes last: threads have ended, files are closed, other exit
    functions have run.
    """
    gc.set_threshold(*COLLECT_AFTER)
    code = FAILED

    def leave() -> None:
        if sys.gettrace() or sys.getprofile():
            return  # whoever watches this process wants to see its end
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # the reader has gone, and needs no word of it
                stream.flush()
        os._exit(code)

    atexit.register(leave)
    try:
        main()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else code if ending.code else 0
        raise


if __name__ == "__main__":
    run()
