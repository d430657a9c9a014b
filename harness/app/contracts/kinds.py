"""A kind of task. Its author gives `EXAMPLE_LABELS` and `EXAMPLES`: a gold cell, a reply, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from harness.errors import HarnessError
from harness.types import Metric, Outcome, ReplyFormat, ReplyMode

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject

Examples = Sequence[tuple[str, str, float]]
HOSTILE = (
    "",
    " ",
    "\x00",
    "{",
    "[" * 2_000,
    '{"label": null}',
    "```",
    "null",
    "NaN",
    "1e999",
    "\ud800",
    "yes\nno" * 500,
)


def _labels(subject: Subject) -> tuple[str, ...]:
    return tuple(subject.given.get("labels", getattr(subject.module, "EXAMPLE_LABELS", ())))


def _examples(subject: Subject) -> Examples:
    found: Examples = subject.given.get("examples", getattr(subject.module, "EXAMPLES", ()))
    assert found, f"{subject.name} offers no EXAMPLES; give some, each (gold cell, reply, credit), to be checked with"
    return found


def _metrics(subject: Subject) -> None:
    name, metrics = subject.name, subject.module.METRICS
    assert metrics, f"{name}: METRICS is empty; the first is the headline"
    for key, metric in metrics.items():
        assert isinstance(metric, Metric), f"{name}: METRICS[{key!r}] is no Metric"
        assert metric.better in ("higher", "lower"), f"{name}: {key} says better = {metric.better!r}"
    for constant in ("IS_BINARY", "HAS_CLASSES"):
        assert isinstance(getattr(subject.module, constant), bool), f"{name}: {constant} is no bool"


def _gold(subject: Subject) -> None:
    labels = _labels(subject)
    for cell, _, _ in _examples(subject):
        once = subject.module.read_gold(cell, labels, "row 1")
        assert isinstance(once, str), f"{subject.name}: read_gold({cell!r}) gave {once!r}; expected a text"
        again = subject.module.read_gold(once, labels, "row 1")
        assert again == once, f"{subject.name}: read_gold({once!r}) gave {again!r}; canonical text stays as it is"
        credit = subject.module.credit(once, once, labels)
        assert credit == 1, f"{subject.name}: gold {once!r} answered with itself is worth {credit!r}; expected 1"


def _credits(subject: Subject) -> None:
    module, labels = subject.module, _labels(subject)
    for cell, reply, worth in _examples(subject):
        outcome, answer = module.parse(reply, labels, _format(subject))
        assert outcome == Outcome.ANSWERED, f"{subject.name}: the reply {reply!r} is {outcome.value}"
        found = module.credit(module.read_gold(cell, labels, "row 1"), answer, labels)
        assert 0 <= found <= 1, f"{subject.name}: credit is {found!r}; expected 0 to 1"
        assert abs(found - worth) < 1e-9, f"{subject.name}: {reply!r} for {cell!r} is worth {found:g}; said {worth:g}"
        assert not module.IS_BINARY or found in (0, 1), f"{subject.name}: IS_BINARY, and a credit is {found:g}"


def _headline(subject: Subject) -> None:
    module, labels = subject.module, _labels(subject)
    gold = [module.read_gold(cell, labels, "row 1") for cell, _, _ in _examples(subject)]
    answers = [module.parse(reply, labels, _format(subject))[1] for _, reply, _ in _examples(subject)]
    answers[-1] = None
    worth = [0.0 if a is None else module.credit(g, a, labels) for g, a in zip(gold, answers, strict=True)]
    name, metric = next(iter(module.METRICS.items()))
    found = metric.estimate(gold, answers, labels, np.random.default_rng(0))
    said = (
        f"{subject.name}: {name}, the headline, is {found.value}; the mean credit, no answer worth 0, {np.mean(worth)}"
    )
    assert found.value is not None, said
    assert abs(found.value - np.mean(worth)) < 1e-9, said


def _hostile(subject: Subject) -> None:
    labels, gold = _labels(subject), subject.module.read_gold(_examples(subject)[0][0], _labels(subject), "row 1")
    for reply in HOSTILE:
        outcome, answer = subject.module.parse(reply, labels, _format(subject))
        is_answer = outcome == Outcome.ANSWERED
        assert is_answer == isinstance(answer, str), (
            f"{subject.name}: {reply[:20]!r} is {outcome} with answer {answer!r}"
        )
        if isinstance(answer, str):
            assert 0 <= subject.module.credit(gold, answer, labels) <= 1, f"{subject.name}: no credit for {answer!r}"


def _format(subject: Subject) -> ReplyFormat:
    """The first mode of reply that the kind has."""
    for mode in get_args(ReplyMode):
        try:
            found = subject.module.reply_format(mode, _labels(subject))
        except HarnessError:
            continue
        assert isinstance(found, ReplyFormat), f"{subject.name}: reply_format({mode!r}) gave {found!r}"
        return found
    raise AssertionError(f"{subject.name}: reply_format takes none of {', '.join(get_args(ReplyMode))}")


CHECKS = {
    "METRICS, and what the kind has": _metrics,
    "gold is canonical text, worth 1": _gold,
    "replies are worth what the examples say": _credits,
    "the headline is the mean credit": _headline,
    "no reply breaks it": _hostile,
}
