"""The Python API: a workbench in a workspace, and results that show themselves."""

from harness.app.workbench.workbench import Workbench

__all__ = ["Workbench"]
