"""Restaurants-8k: what people say when they book a table, and the fields they fill (Coope et al. 2020).

Gold are the values of five fields with their places. What the system had asked for (`requestedSlots`) is a field of the
item: of a turn such as "13" it alone tells which field is meant. The official split has no dev part.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

REPOSITORY = (
    "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/"
    "57ec275d8078af65b7731c2a98be812d844a6d6b/span_extraction/restaurant8k/"
)
FILES = (
    RemoteFile(
        "train_0.json",
        REPOSITORY + "train_0.json",
        "90cb03e1cdd3ee141829605955a54d946308e1558250ca1e7413f260443bc6a4",
    ),
    RemoteFile(
        "test.json", REPOSITORY + "test.json", "31dbbb2fa36319f9f1f2c3ed441619ebf6e081f82aefd484b98caf86cd826ab0"
    ),
)
SOURCE = {
    "from": "PolyAI-LDN/task-specific-datasets, span_extraction/restaurant8k",
    "licence": "CC BY 4.0",
    "cite": "Coope et al. 2020, Span-ConveRT: Few-shot Span Extraction for Dialog with Pretrained Conversational "
    "Representations",
    "labelled_by": "PolyAI",
}
SPEC = ImportSpec(
    name="restaurants8k",
    version="v1",
    text="text",
    label="values",
    kind="extract",
    description="Turns of people who book a table, to the values of five fields.",
    labels={
        "date": "the day of the booking, as it is said",
        "first_name": "the guest's first name",
        "last_name": "the guest's last name",
        "people": "how many people, as it is said",
        "time": "the time of the booking, as it is said",
    },
)


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every turn with its official split; a place that says no start begins the text."""
    for name, split in (("train_0.json", "train"), ("test.json", "test")):
        for number, turn in enumerate(json.loads(files[name]), start=1):
            places = [_place(label) for label in turn.get("labels", ())]
            asked = turn.get("context", {}).get("requestedSlots", ())
            row = {"text": turn["userInput"]["text"], "values": json.dumps(places), "requestedSlots": ", ".join(asked)}
            yield split, f"{name}: turn {number}", row


def _place(label: Mapping[str, Any]) -> dict[str, Any]:
    span = label["valueSpan"]
    return {"start": span.get("startIndex", 0), "end": span["endIndex"], "label": label["slot"]}
