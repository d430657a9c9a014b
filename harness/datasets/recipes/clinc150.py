"""CLINC150, full: 22,500 questions to 150 intents, and 1,200 out of scope (Larson et al. 2019).

The out-of-scope questions carry the label `oos`: 100 of 15,100 in train, 100 of 3,100 in dev
and 1,000 of 5,500 in test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

FILES = (
    RemoteFile(
        "data_full.json",
        "https://raw.githubusercontent.com/clinc/oos-eval/828f8093932c8fe6ca7936c3d2e52903b1c523de/data/data_full.json",
        "36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0",
    ),
)
SOURCE = {
    "from": "clinc/oos-eval, data/data_full.json",
    "licence": "CC BY 3.0",
    "cite": "Larson et al. 2019, An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction",
    "labelled_by": "crowd workers; out-of-scope rows curated by the authors",
}
SPEC = ImportSpec(
    name="clinc150",
    version="v1",
    text="text",
    label="label",
    description="Questions to a voice assistant to their intent, or to none of them.",
    labels={"oos": "none of the other intents"},
)
PARTS = {
    "train": "train",
    "oos_train": "train",
    "val": "dev",
    "oos_val": "dev",
    "test": "test",
    "oos_test": "test",
}


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every row with its official split."""
    parts = json.loads(files["data_full.json"])
    for part, split in PARTS.items():
        for number, (text, label) in enumerate(parts[part], start=1):
            yield split, f"data_full.json: {part} {number}", {"text": text, "label": label}
