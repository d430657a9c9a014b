"""What runs are called: unique on their split, and no longer than it takes to tell them apart. Pure.

A name is the arm; with the model where the split holds the arm on several, with the server's address or the
content's id where those differ too; `seed 3` for another fit, `#2` for a repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground.ids import SCHEME
from harness.store.stored import STANDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.store.stored import Content, StoredRun

SHOWN_OF_ID = 6


class Names:
    """The names of a split's runs: `of_run` by run id, `of_arm` by content, for the runs that are one arm together."""

    def __init__(self, runs: Sequence[StoredRun]) -> None:
        """`runs` are all runs of one split."""
        self.of_arm = _of_arms(runs)
        seeds = {run.content: run.seed for run in sorted(runs, key=_turn, reverse=True)}
        self.of_run: dict[str, str] = {}
        taken: set[str] = set()
        for run in sorted(runs, key=_turn):
            name = next(name for name in _ever_longer(run, self.of_arm[run.content], seeds) if name not in taken)
            taken.add(name)
            self.of_run[run.run_id] = name


def _turn(run: StoredRun) -> tuple[bool, int, int, int]:
    """Who chooses a name first: complete runs, then by purpose, seed and repeat."""
    place = STANDING.index(run.purpose) if run.purpose in STANDING else len(STANDING)
    return not run.is_complete, place, run.seed, run.repeat


def _ever_longer(run: StoredRun, arm: str, seeds: Mapping[Content, int]) -> Iterator[str]:
    """The names a run may have, the shortest first; the last is its alone."""
    seed = f" seed {run.seed}" if run.seed != seeds[run.content] else ""
    repeat = f" #{run.repeat + 1}" if run.repeat else ""
    if run.purpose in STANDING:
        yield f"{arm}{seed}{repeat}"
    words = {
        "part": f", {run.n_train} labels",
        "fold": f", {run.params.get('folds')} folds",
        "limited": f", {run.n:,} items",
        "shard": f", {run.shard.shard.words}" if run.shard is not None else ", shard",
    }
    yield f"{arm}{words.get(run.purpose, f', {run.purpose}')}{seed}{repeat}"
    yield f"{arm}{words.get(run.purpose, '')}{seed}{repeat} {run.run_id.removeprefix(SCHEME)}"


def _of_arms(runs: Sequence[StoredRun]) -> dict[Content, str]:
    """The name of each content, `arm (model, address, id)`, of these in brackets what tells it from the others."""
    of_arm: dict[str, dict[Content, StoredRun]] = {}
    for run in runs:
        of_arm.setdefault(run.arm, {})[run.content] = run
    return {
        content: f"{arm} ({', '.join(marks)})" if (marks := _marks(run, list(contents.values()))) else arm
        for arm, contents in of_arm.items()
        for content, run in contents.items()
    }


def _marks(run: StoredRun, others: Sequence[StoredRun]) -> list[str]:
    marks = []
    if len({other.model for other in others}) > 1:
        marks.append(run.model or "no model")
    # A cross-validated arm is another content than the one fitted once, and the same arm to its reader.
    same = [o for o in others if o.model == run.model and (o.purpose == "fold") == (run.purpose == "fold")]
    if len(same) == 1:
        return marks
    addresses = {str(other.params.get("endpoint") or "default address") for other in same}
    if len(addresses) > 1:
        marks.append(str(run.params.get("endpoint") or "default address"))
    if len(addresses) < len(same):
        marks.append(run.arm_id.removeprefix(SCHEME)[:SHOWN_OF_ID])
    return marks
