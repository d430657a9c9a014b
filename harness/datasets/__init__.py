"""Versioned labelled datasets: read, checked, frozen, split, imported and fetched.

A version is a folder `datasets/<name>/<version>/` with dataset.toml, its rows, and one hash per
row. Once released it never changes: edited bytes are an error that names the row.
"""

from harness.datasets.fetching import fetch
from harness.datasets.import_spec import ImportSpec
from harness.datasets.importing import Imported, import_file, import_files, try_files
from harness.datasets.loading import Verification, load, refs, verify
from harness.datasets.releasing import Draw, resplit
from harness.datasets.splits import split_counts, split_sizes

__all__ = [
    "Draw",
    "ImportSpec",
    "Imported",
    "Verification",
    "fetch",
    "import_file",
    "import_files",
    "load",
    "refs",
    "resplit",
    "split_counts",
    "split_sizes",
    "try_files",
    "verify",
]
