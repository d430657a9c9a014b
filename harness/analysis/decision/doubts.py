"""What a verdict takes for granted, where there is reason to doubt it: gold labels, and a split that is new. In words.

The verdict stands as it is; these sentences say what could turn it and what to type about it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.analysis.decision.noise import OPEN
from harness.ground import formatting
from harness.stats.looks import optimism

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.analysis.decision.noise import LabelNoise
    from harness.analysis.results import Results

MOST_NAMED = 4


def wrong_labels(found: LabelNoise | None, chosen: str, results: Results, *, is_decided: bool) -> Iterator[str]:
    """The ceiling that suspected labels put on every accuracy, and whether they could turn the verdict."""
    if found is None:
        return
    yield (
        f"The audit suspects the gold label of {found.suspects:,} of {found.n:,} items: were all of them wrong, an arm "
        f"that is always right would score {formatting.share(found.ceiling)}"
    )
    if found.lost:
        yield (
            f"{formatting.plural(found.torn, 'item')} are equal texts under different labels: an arm that answers "
            f"equal texts alike scores {formatting.share(found.highest)} at most"
        )
    if found.turned:
        where = f"{shlex.quote(results.split.dataset)} --split {shlex.quote(results.split.name)}"
        yield (
            f"Suspected labels could turn the verdict: {'; '.join(_turns(found, chosen))}. Have them read: harness "
            f"dataset sample {where} --how discordant --n {max(found.differing.values())} --out relabel.csv"
        )
    elif found.differing:
        still = f"{chosen} would be served all the same" + (", decided" if is_decided else "")
        yield f"Suspected labels cannot turn the verdict: were any one other arm right on all of them, {still}"


def _turns(found: LabelNoise, chosen: str) -> list[str]:
    said = [
        f"{chosen} and {arm} answer {found.differing[arm]:,} of them differently, and were {arm} right there each "
        "time, " + ("it could not be told" if instead == OPEN else f"it would be {instead}")
        for arm, instead in list(found.turned.items())[:MOST_NAMED]
    ]
    more = len(found.turned) - len(said)
    return [*said, *([f"so could {formatting.plural(more, 'other arm')}"] if more else [])]


def many_looks(results: Results, bearable: int, worth: float) -> Iterator[str]:
    """What it costs that tries which are not shown were scored on the split, and how to confirm the verdict.

    Nothing where there are no more than are `bearable`. `worth` is the number of independent items that the chosen
    arm's accuracy is worth.
    """
    split, unseen = results.split, unshown_looks(results)
    if unseen <= bearable:
        return
    name = split.dataset.partition("@")[0]
    version = f"{split.dataset.partition('@')[2]}-confirm"
    yield (
        f"The split was scored {split.looks:,} times, {unseen:,} of them for tries that are not shown here: the best "
        f"of so many is on the average up to {formatting.share(optimism(split.looks, worth))} less accurate than it "
        "looks, and less still where prompts were mended by these very items. Confirm it on items that nobody has "
        f"scored: harness dataset new-version {shlex.quote(split.dataset)} --to {shlex.quote(version)} --fresh "
        f"{shlex.quote(split.name)}, then again with --dataset {shlex.quote(f'{name}@{version}')}"
    )


def unshown_looks(results: Results) -> int:
    """How often the split was scored for runs that are neither on the table nor points of a curve that is shown."""
    repeats = {spread.name: len(spread.values) for spread in results.spreads}
    shown = sum(repeats.get(one.run.arm_name, 1) for one in results.by_arm.runs)
    fits = len(results.curves.fits) if results.curves is not None else 0
    return max(0, results.split.looks - shown - fits)
