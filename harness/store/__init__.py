"""The store: runs and predictions in one DuckDB file, documented for people's own SQL."""

from harness.store.rows import TRAINING_PART, is_partial
from harness.store.store import LONGEST_QUERY_S, QUERY_S, Store

__all__ = ["LONGEST_QUERY_S", "QUERY_S", "TRAINING_PART", "Store", "is_partial"]
