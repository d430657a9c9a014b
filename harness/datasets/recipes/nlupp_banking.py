"""NLU++, banking: 2,071 questions, 48 intents of which a question may have several (Casanueva et al. 2022).

The authors cut the rows into 20 folds and average over them: in their low-data protocols one or two folds are
learned from, and the rest is the test. `fold` is a field of the item; here folds 0 to 15 are train, 16 and 17 dev,
18 and 19 test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

REPOSITORY = (
    "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/"
    "57ec275d8078af65b7731c2a98be812d844a6d6b/nlupp/data/"
)
FILES = (
    RemoteFile(
        "banking.jsonl",
        REPOSITORY + "banking/",
        "e4817fd80d2f2689e28a0739b04e46170ff8905225f9ef7a1b7cd107920eeca4",
        is_derived=True,
    ),
    RemoteFile(
        "ontology.json",
        REPOSITORY + "ontology.json",
        "58736607898d17f73e8afa4fa41ca455670756398f3fc91751c31b62327e38c5",
    ),
)
SOURCE = {
    "from": "PolyAI-LDN/task-specific-datasets, nlupp/data/banking, folds 0 to 19, one row a line",
    "licence": "CC BY 4.0",
    "cite": "Casanueva et al. 2022, NLU++: A Multi-Label, Slot-Rich, Generalisable Dataset for Natural Language "
    "Understanding in Task-Oriented Dialogue",
    "labelled_by": "PolyAI",
}
SPEC = ImportSpec(
    name="nlupp-banking",
    version="v1",
    text="text",
    label="intents",
    kind="multi",
    description="Questions of bank customers, to all the intents they have.",
)
FIRST_DEV, FIRST_TEST = 16, 18


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every question with its fold; one without intents has none."""
    for number, line in enumerate(files["banking.jsonl"].decode("utf-8").splitlines(), start=1):
        row = json.loads(line)
        fold = int(row["fold"])
        split = "test" if fold >= FIRST_TEST else "dev" if fold >= FIRST_DEV else "train"
        cells: dict[str, Cell] = {"text": row["text"], "intents": row.get("intents", []), "fold": str(fold)}
        yield split, f"banking.jsonl:{number}", cells


def descriptions(files: Mapping[str, bytes]) -> dict[str, str]:
    """What the authors say of each intent, as a question."""
    intents = json.loads(files["ontology.json"])["intents"]
    return {name: str(told["description"]).removeprefix("is the intent ") for name, told in intents.items()}
