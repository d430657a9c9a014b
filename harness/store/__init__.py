"""The store: runs and predictions in one DuckDB file, documented for people's own SQL."""

from harness.store.database_file import DatabaseFile
from harness.store.erasing import Erasure
from harness.store.querying import LONGEST_QUERY_S, QUERY_S
from harness.store.selection import Selection
from harness.store.store import Store
from harness.store.stored import (
    DECIDED_EARLY,
    STANDING,
    PassedOver,
    Selected,
    StoredRun,
    Where,
    lacks_too_many,
    stored_runs,
)

__all__ = [
    "DECIDED_EARLY",
    "LONGEST_QUERY_S",
    "QUERY_S",
    "STANDING",
    "DatabaseFile",
    "Erasure",
    "PassedOver",
    "Selected",
    "Selection",
    "Store",
    "StoredRun",
    "Where",
    "lacks_too_many",
    "stored_runs",
]
