"""SMS Spam Collection: 5,574 messages, ham or spam (Almeida and Hidalgo 2011).

The file is tab-separated and unquoted: 347 stray quotation marks are part of the messages. It
has no official split and 403 exact repeats, so equal messages form a group and share a split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

FILES = (
    RemoteFile(
        "SMSSpamCollection",
        "https://raw.githubusercontent.com/AlexandreBoult/Spam-Filter/"
        "f7eee2953bd89f4cd0af2f696bfcd6266600a1c7/SMSSpamCollection",
        "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d",
    ),
)
SOURCE = {
    "from": "UCI SMS Spam Collection v.1",
    "licence": "CC BY 4.0; cite the authors",
    "cite": "Almeida, Gomez Hidalgo and Yamakami 2011, Contributions to the Study of SMS Spam Filtering",
    "labelled_by": "collected from public sources by the authors",
    "repaired": "347 quotation marks are part of the messages; a CSV reader that takes them for quoting loses 2 rows",
}
SPEC = ImportSpec(
    name="sms_spam",
    version="v1",
    text="text",
    label="label",
    group="group",
    description="Text messages: wanted or not.",
    labels={"ham": "a message somebody meant for the reader", "spam": "unwanted advertising or fraud"},
)


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every row, still to be split; its group is its text without case and extra blanks."""
    lines = files["SMSSpamCollection"].decode("utf-8").split("\n")
    for number, line in enumerate(lines, start=1):
        if line:
            label, _, text = line.partition("\t")
            same = " ".join(text.casefold().split())
            yield None, f"SMSSpamCollection:{number}", {"text": text, "label": label, "group": same}
