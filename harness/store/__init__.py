"""The store: runs and predictions in one DuckDB file, documented for people's own SQL."""

from harness.store.store import Store

__all__ = ["Store"]
