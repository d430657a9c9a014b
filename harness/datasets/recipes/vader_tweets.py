"""VADER's tweets: 4,200, each with the mean of at least 20 people's ratings from -4 to 4 (Hutto and Gilbert 2014).

The first 20 ratings of a tweet are kept beside the mean, a column each: the raters are anonymous, so a column is not
one person. HTML's names of characters (`&amp;`) in the texts are read as the characters.
"""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from harness.datasets.fetching import RemoteFile
from harness.datasets.import_spec import ImportSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.datasets.cells import Cell

ARCHIVE = (
    "https://raw.githubusercontent.com/cjhutto/vaderSentiment/44fc044cd877310ee8278a0eadf34bcd50d41d06/"
    "additional_resources/hutto_ICWSM_2014.tar.gz"
)
FILES = (
    RemoteFile("tweets_GroundTruth.txt", ARCHIVE, "dfbe7102e2f92579ed8b19df9a3822491880697c67adf712fb66e520cc05102f"),
    RemoteFile(
        "tweets_anonDataRatings.txt", ARCHIVE, "390d6f8f1b5c7e6f9f94ad7fea1e461ed718312d1856ae71c5812ab8ae943fa6"
    ),
)
RATERS = tuple(f"rating{number:02}" for number in range(1, 21))
SOURCE = {
    "from": "cjhutto/vaderSentiment, additional_resources/hutto_ICWSM_2014.tar.gz",
    "licence": "MIT",
    "cite": "Hutto and Gilbert 2014, VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media "
    "Text",
    "labelled_by": "20 or more people a tweet, from -4 (most negative) to 4 (most positive)",
    "repaired": "HTML's names of characters in the texts are read as the characters",
}
SPEC = ImportSpec(
    name="vader-tweets",
    version="v1",
    text="text",
    label="mean",
    id="id",
    kind="score",
    range=(-4.0, 4.0),
    raters=RATERS,
    description="Tweets to how positive they are, from -4 to 4.",
)


def rows(files: Mapping[str, bytes]) -> Iterator[tuple[str | None, str, dict[str, Cell]]]:
    """Every tweet; splits are drawn by hash."""
    rated = {}
    for line in files["tweets_anonDataRatings.txt"].decode("utf-8").splitlines():
        number, _, _, ratings = line.split("\t")
        rated[number] = [str(rating) for rating in json.loads(ratings)[: len(RATERS)]]
    for line in files["tweets_GroundTruth.txt"].decode("utf-8").splitlines():
        number, mean, text = line.split("\t")
        cells: dict[str, Cell] = {"id": number, "mean": mean, "text": html.unescape(text)}
        yield None, f"tweets_GroundTruth.txt:{number}", cells | dict(zip(RATERS, rated[number], strict=True))
