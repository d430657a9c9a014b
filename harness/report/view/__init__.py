"""The store in a browser: pages made from SQL, a part at a time, and the loopback server that answers with them.

Nothing here writes, and no page needs more of the store than it shows.
"""

from harness.report.view.server import Server

__all__ = ["Server"]
