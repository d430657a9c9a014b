"""harness: which tool should serve a labelled text task, with evidence.

The package's front door, `harness.Workbench` is the Python API. It imports nothing heavy: `import
harness` loads no SDK, no data-frame library and no model; a name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.app.workbench import Workbench
    from harness.app.workbench.shown import Compared, Decided, Evaluation, Gated

__version__ = "0.1.0"
__all__ = ["Compared", "Decided", "Evaluation", "Gated", "Workbench", "__version__"]
LAZY = {
    "Compared": "harness.app.workbench.shown",
    "Decided": "harness.app.workbench.shown",
    "Evaluation": "harness.app.workbench.shown",
    "Gated": "harness.app.workbench.shown",
    "Workbench": "harness.app.workbench",
}


def __getattr__(name: str) -> object:
    if name not in LAZY:
        raise AttributeError(f"module 'harness' has no attribute {name!r}; expected one of {', '.join(__all__)}")
    return getattr(import_module(LAZY[name]), name)
