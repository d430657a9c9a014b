"""The store: runs and predictions in one DuckDB file, documented for people's own SQL."""

from harness.store.rows import TRAINING_PART, is_partial
from harness.store.store import Store

__all__ = ["TRAINING_PART", "Store", "is_partial"]
