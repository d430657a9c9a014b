"""Where tables are printed: as wide as the terminal; in a pipe a row is a line, and names are whole."""

from __future__ import annotations

import os
import sys

from rich.console import Console

NO_WIDTH = 100_000


def stdout() -> Console:
    """The console of stdout. A pipe is as wide as COLUMNS says, and without that as wide as its longest row."""
    is_pipe = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(markup=False, highlight=False, width=NO_WIDTH if is_pipe else None)
