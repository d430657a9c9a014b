"""TREC question types: 5,952 questions to 6 coarse types (Li and Roth 2002).

One training question holds a byte that is not UTF-8 (0xF0); as the usual loaders do, it is read
as a blank. The fine type stays beside the coarse one as a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

ADDRESS = "https://cogcomp.seas.upenn.edu/Data/QA/QC/"
FILES = (
    RemoteFile(
        "train_5500.label",
        ADDRESS + "train_5500.label",
        "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3",
    ),
    RemoteFile(
        "TREC_10.label", ADDRESS + "TREC_10.label", "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e"
    ),
)
SOURCE = {
    "from": "University of Illinois, question classification data",
    "licence": "none stated; public research data",
    "cite": "Li and Roth 2002, Learning Question Classifiers",
    "labelled_by": "the authors",
    "repaired": "one byte of train_5500.label (0xF0, in 'sister city') is not UTF-8 and was read as a blank",
}
SPEC = ImportSpec(
    name="trec",
    version="v1",
    text="text",
    label="label",
    description="Questions to the type of answer they ask for.",
    labels={
        "ABBR": "an abbreviation or what it stands for",
        "DESC": "a description, a definition, a reason, a manner",
        "ENTY": "a thing: animal, food, product, event, word, ...",
        "HUM": "a person or a group of people",
        "LOC": "a place",
        "NUM": "a number: count, date, money, distance, ...",
    },
)


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every row with its official split: `COARSE:fine question`."""
    for name, split in (("train_5500.label", "train"), ("TREC_10.label", "test")):
        lines = files[name].replace(b"\xf0", b" ").decode("utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            types, _, question = line.partition(" ")
            yield (
                split,
                f"{name}:{number}",
                {"text": question, "label": types.partition(":")[0], "fine": types},
            )
