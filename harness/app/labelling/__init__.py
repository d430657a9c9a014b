"""The page on which people label items: its server, and the files it is made of."""

from harness.app.labelling.server import LabelServer, Shown

__all__ = ["LabelServer", "Shown"]
