"""What a single person reaches: the sentence to read every arm beside."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.ground import formatting

if TYPE_CHECKING:
    from harness.analysis.results import Results


def ceiling(results: Results) -> str | None:
    """What a single person reaches, in a sentence to read every arm beside; None without raters."""
    people = results.people
    name = results.runs[0].headline.name
    if people is None or name not in people.values:
        return None
    return (
        f"A single person has {wording.of_headline(results.split.task).a_noun} of "
        f"{formatting.share(fmean(people.values[name]))} against the gold, on {formatting.plural(people.n, 'item')}: "
        "what to read every arm beside."
    )
