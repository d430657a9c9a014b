"""What wrong gold labels could do: to every accuracy, and to the verdict. Pure.

An audit names the items whose gold label it suspects. How many of them are wrong nobody knows before somebody has read
them, so all that is said here are bounds: an arm that is always right, were all of them wrong; and the rule itself,
were each of them wrong in another arm's favour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit.equality import normal_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.decision.assurance import Question
    from harness.analysis.results import Results

OPEN = "open"


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Of `n` scored items an audit suspects the label of `suspects`.

    `torn` of them are equal texts under different labels: who answers equal texts alike is wrong on at least `lost`.
    `differing` counts, by arm, the suspects that it and the chosen arm answer differently; `turned` says, by arm, what
    the verdict would be were that arm right on all of those and the chosen one on none: another arm, or `OPEN` where
    it is decided now. Arms that could not turn it are not in it.
    """

    n: int
    suspects: int
    torn: int
    lost: int
    differing: Mapping[str, int]
    turned: Mapping[str, str]

    @property
    def ceiling(self) -> float:
        """The accuracy of an arm that is always right, were every suspected label wrong."""
        return 1 - self.suspects / self.n

    @property
    def highest(self) -> float:
        """The most that an arm that answers equal texts alike can be scored."""
        return 1 - self.lost / self.n


def label_noise(results: Results, question: Question, runs: Sequence[str]) -> LabelNoise | None:
    """What the audit of the dataset leaves open; None without one, without a suspect, or where credit has degrees.

    `runs` are the ids of the runs behind the arms of the question, in its order.
    """
    defects, together = results.defects, question.together
    if defects is None or not together.is_binary:
        return None
    is_suspect = np.isin(together.items, list(defects.suspects | defects.torn))
    if not is_suspect.any():
        return None
    torn, lost = _torn(results, defects.torn & set(together.items))
    differing, turned = _turned(results, question, runs, is_suspect)
    return LabelNoise(len(together.items), int(is_suspect.sum()), torn, lost, differing, turned)


def _torn(results: Results, items: frozenset[str]) -> tuple[int, int]:
    """How many items stand beside an equal one with another label, and how many of them must be wrong."""
    if not items:
        return 0, 0
    rows = results.predictions
    rows = rows[rows["example_id"].isin(items)].drop_duplicates("example_id")
    tags = rows["tags"].map(str, na_action=None) if "tags" in rows else ""
    keys = rows["text"].map(normal_form) + "\0" + tags
    counts = [labels.value_counts() for _, labels in rows["gold"].groupby(keys) if labels.nunique() > 1]
    return sum(int(each.sum()) for each in counts), sum(int(each.sum() - each.max()) for each in counts)


def _turned(
    results: Results, question: Question, runs: Sequence[str], is_suspect: NDArray[np.bool_]
) -> tuple[dict[str, int], dict[str, str]]:
    chosen, is_decided = question.decided()
    arm, names = int(chosen), question.together.names
    items = question.together.items[is_suspect]
    answers = [_answers(results.answers[run_id].rows, items) for run_id in runs]
    differing, turned = {}, {}
    for other, name in enumerate(names):
        differs = np.array([a != b for a, b in zip(answers[arm], answers[other], strict=True)])
        if other == arm or not differs.any():
            continue
        differing[name] = int(differs.sum())
        has_answer = np.array([bool(said) for said in answers[other]])
        where = np.flatnonzero(is_suspect)
        instead, is_still = _with_scores(question, {arm: where[differs], other: where[differs & has_answer]}, arm)
        if int(instead) != arm:
            turned[name] = names[int(instead)]
        elif bool(is_decided) and not bool(is_still):
            turned[name] = OPEN
    return differing, turned


def _with_scores(
    question: Question, items: Mapping[int, NDArray[np.int64]], wrong: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The rule's answer were arm `wrong` wrong on its items and the other arms right on theirs; failed calls stay."""
    scores = question.together.scores.copy()
    for arm, mine in items.items():
        known = mine[~np.isnan(scores[mine, arm])]
        scores[known, arm] = 0.0 if arm == wrong else 1.0
    return replace(question, together=replace(question.together, scores=scores)).decided()


def _answers(rows: pd.DataFrame, items: NDArray[np.object_]) -> list[frozenset[str]]:
    """What an arm said of each item, over its repeats and fits; nothing where it has no answer."""
    mine = rows[rows["example_id"].isin(list(items)) & rows["label"].notna()]
    said = {item: frozenset(labels) for item, labels in mine.groupby("example_id")["label"]}
    return [said.get(item, frozenset()) for item in items]
