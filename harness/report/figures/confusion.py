"""Confusion: which labels are taken for which, readable at eight labels and at a hundred and fifty.

Labels stand in the order of their confusion, so that those taken for each other are neighbours and
mistakes gather in blocks beside the diagonal. Of more than a few labels, the block with most
mistakes is drawn again with names and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _style
from harness.store.statements import literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from harness.analysis.results import Results, RunResult

TITLE = "Confusion"
ORDER = 44
NEEDS = ("classes",)
NAMED = 12  # labels: up to so many are drawn in one panel, with names
BLOCK = 8
NO_ANSWER = "(no answer)"


def draw(results: Results) -> _style.Drawing | None:
    """The best arm's confusions; nothing when it made none."""
    result = results.runs[0]
    labels, counts = _counted(results, result)
    if len(labels) < 2 or counts.sum() == np.trace(counts):
        return None
    order = _order(counts)
    labels, counts = [labels[i] for i in order], counts[np.ix_(order, [*order, len(order)])]
    figure = _style.canvas(5.2 if len(labels) <= NAMED else 4.9)
    if len(labels) <= NAMED:
        _named(figure.add_subplot(), labels, counts)
    else:
        whole, zoom = figure.subplots(1, 2, width_ratios=(1, 1.05))
        start = _worst_block(counts)
        _whole(whole, counts, start)
        block = slice(start, start + BLOCK)
        _named(zoom, labels[block], counts[block, block])
    worst = _worst(labels, counts)
    told = "; ".join(f"{n} {_style.said(gold)} taken for {_style.said(said)}" for gold, said, n in worst[:5])
    return _style.Drawing(
        figure,
        ("arm", "run_id", "gold", "answer", "n"),
        tuple(
            (result.run.name, result.run.run_id, labels[i], [*labels, NO_ANSWER][j], int(counts[i, j]))
            for i, j in np.argwhere(counts).tolist()
        ),
        f"Confusions of {_style.name_of(result)}: {told}.",
        _caption(result, len(labels)),
        "none: counts",
        queries.line(results, "answers", f"where name = {literal(result.run.name)} and credit < 1"),
    )


def _caption(result: RunResult, labels: int) -> str:
    text = (
        f"{_style.name_of(result)}: gold labels down, answers across, in the order of their confusion; the darker, the "
        "larger the share of the gold label's items."
    )
    return text if labels <= NAMED else text + " Right: the framed block, where most mistakes are, with item counts."


def _counted(results: Results, result: RunResult) -> tuple[list[str], NDArray[np.int64]]:
    """Labels that occur, and how often each (row) got each answer (column; the last: none)."""
    rows = results.answers[result.run.run_id].rows
    rows = rows[rows["outcome"] != "failed"]
    gold = rows["gold"].astype(str).tolist()
    answers = [label if isinstance(label, str) else None for label in rows["label"].tolist()]
    occurring = {*gold, *answers}
    labels = [label for label in results.split.labels if label in occurring]
    code: dict[str | None, int] = {label: i for i, label in enumerate(labels)}
    code[None] = len(labels)
    counts = np.zeros((len(labels), len(labels) + 1), dtype=np.int64)
    np.add.at(counts, ([code[g] for g in gold], [code[a] for a in answers]), 1)
    return labels, counts


def _order(counts: NDArray[np.int64]) -> list[int]:
    """Labels that are taken for each other beside each other: average linkage, leaves ordered optimally."""
    square = counts[:, :-1].astype(float)
    shares = square / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    alike = shares + shares.T
    np.fill_diagonal(alike, 0)
    distance = 1 / (1 + 20 * alike)
    np.fill_diagonal(distance, 0)
    tree = scipy.cluster.hierarchy.linkage(
        scipy.spatial.distance.squareform(distance, checks=False), "average", optimal_ordering=True
    )
    return [int(i) for i in scipy.cluster.hierarchy.leaves_list(tree)]


def _worst_block(counts: NDArray[np.int64]) -> int:
    """Where the block of neighbouring labels with most mistakes among themselves begins."""
    wrong = counts[:, :-1].copy()
    np.fill_diagonal(wrong, 0)
    size = min(BLOCK, len(wrong))
    sums = [int(wrong[i : i + size, i : i + size].sum()) for i in range(len(wrong) - size + 1)]
    return int(np.argmax(sums))


def _worst(labels: list[str], counts: NDArray[np.int64]) -> list[tuple[str, str, int]]:
    answers = [*labels, NO_ANSWER]
    wrong = [
        (labels[i], answers[j], int(counts[i, j])) for i, j in np.argwhere(counts).tolist() if labels[i] != answers[j]
    ]
    return sorted(wrong, key=lambda cell: (-cell[2], cell[0], cell[1]))


def _cells(axes: Axes, counts: NDArray[np.int64]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    places = np.argwhere(counts).tolist()
    colors = [to_rgba(_style.mark(0 if i == j else 1), float(0.1 + 0.45 * shares[i, j] ** 0.6)) for i, j in places]
    squares = [Rectangle((j - 0.5, i - 0.5), 1, 1) for i, j in places]
    axes.add_collection(PatchCollection(squares, facecolors=colors, linewidths=0))
    axes.set_xlim(-0.5, counts.shape[1] - 0.5)
    axes.set_ylim(counts.shape[0] - 0.5, -0.5)
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_alpha(0.4)


def _whole(axes: Axes, counts: NDArray[np.int64], start: int) -> None:
    square = counts[:, :-1]
    _cells(axes, square)
    frame = Rectangle((start - 0.5, start - 0.5), BLOCK, BLOCK, fill=False, edgecolor=_style.ink(), linewidth=1.2)
    axes.add_patch(frame)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"answer, {len(square)} labels")
    axes.set_ylabel("gold label")


def _named(axes: Axes, labels: list[str], counts: NDArray[np.int64]) -> None:
    shown = counts if counts[:, -1].any() or counts.shape[1] == len(labels) else counts[:, :-1]
    _cells(axes, shown)
    answers = [*labels, NO_ANSWER][: shown.shape[1]]
    axes.set_xticks(range(len(answers)), [_style.said(a, 20) for a in answers], rotation=40, ha="right", fontsize=9)
    axes.set_yticks(range(len(labels)), [_style.said(label, 20) for label in labels], fontsize=9)
    axes.tick_params(length=0)
    for i, j in np.argwhere(shown).tolist():
        axes.text(j, i, formatting.count(int(shown[i, j])), ha="center", va="center", fontsize=9, color=_style.ink())
    axes.set_xlabel("answer")
    axes.set_ylabel("gold label")
