"""Both sides' rows in, the report out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.analysis import measures
from harness.analysis.gate import estimated, limits, regressions
from harness.analysis.gate.findings import Report
from harness.analysis.gate.measured import paired

if TYPE_CHECKING:
    from harness.analysis.gate.measured import Measured
    from harness.ground.gate_settings import GateSettings


def check(measured: Measured, settings: GateSettings) -> Report:
    """The verdicts; `MissingAnswers` when a side lacks answers, `ConfigError` for a limit on what is not there."""
    if measured.few is not None:
        estimated.check_settings(settings)
    pairs = paired(measured, settings.max_failed, settings.label_mix)
    name, is_binary = measures.headline(measured.task).name, measured.task.rules.IS_BINARY
    few = measured.few
    headlines = [
        limits.share(pairs.items[column].to_numpy(float), pairs.codes, name, settings, pairs.strata)
        if few is None
        else estimated.mean(few, side, name, settings)
        for side, column in enumerate(("score_a", "score_b"))
    ]
    return Report(
        candidate=replace(measured.candidate, headline=headlines[0], accuracy=headlines[0] if is_binary else None),
        baseline=replace(measured.baseline, headline=headlines[1], accuracy=headlines[1] if is_binary else None),
        dataset=measured.dataset,
        dataset_id=measured.dataset_id,
        split=measured.split,
        n=len(pairs.items),
        looks=measured.looks,
        label_mix=settings.label_mix,
        passed_over=measured.passed_over,
        checks=(*regressions.checks(measured, pairs, settings), *limits.checks(measured, pairs, settings)),
        rests_on="" if few is None else estimated.sentence(few),
    )
