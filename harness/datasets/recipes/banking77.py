"""Banking77: 13,083 online-banking questions, 77 intents (Casanueva et al. 2020).

Ten training texts and three test texts hold a newline inside quotes, and one label is
capitalised; both are kept as they are. The official split has no dev part.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

REPOSITORY = (
    "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/"
    "57ec275d8078af65b7731c2a98be812d844a6d6b/banking_data/"
)
FILES = (
    RemoteFile(
        "train.csv", REPOSITORY + "train.csv", "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b"
    ),
    RemoteFile("test.csv", REPOSITORY + "test.csv", "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d"),
)
SOURCE = {
    "from": "PolyAI-LDN/task-specific-datasets, banking_data",
    "licence": "CC BY 4.0",
    "cite": "Casanueva et al. 2020, Efficient Intent Detection with Dual Sentence Encoders",
    "labelled_by": "PolyAI",
}
SPEC = ImportSpec(
    name="banking77",
    version="v1",
    text="text",
    label="category",
    description="Questions of online-banking customers to their intent.",
)


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every row with its official split."""
    for name in ("train", "test"):
        reader = csv.DictReader(io.StringIO(files[f"{name}.csv"].decode("utf-8"), newline=""))
        for row in reader:
            yield name, f"{name}.csv:{reader.line_num}", dict(row)
