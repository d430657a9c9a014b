"""The store: runs and predictions in one DuckDB file, documented for people's own SQL."""

from harness.store.rows import is_partial
from harness.store.store import Store

__all__ = ["Store", "is_partial"]
