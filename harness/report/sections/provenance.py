"""Where every number comes from, and what the words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunResult
    from harness.analysis.wording import Wording

ORDER = 90
FEW_LABELS = True
OF_RIGHT = (
    "Accuracy is the share of items answered with their gold label; an item without an answer counts as wrong. "
    "Its interval is Wilson's, that of macro-F1 a bootstrap over items."
)
OF_DEGREES = "{noun} is the mean credit of the items, from 0 to 1; an item without an answer has a credit of 0."
OF_FEW = (
    "{noun} is estimated by prediction-powered inference (PPI++) from the gold labels and all predictions, weighed by "
    "how likely each labelled item was drawn; where the guesses do not help, gold stands alone."
)
MEANINGS = (
    "Cost is what the predictions cost at list price; arms that run on this machine cost their computing time at the "
    "price of the machine. Latency is what a caller waits for one item alone, without queueing and retries; "
    "classifiers are timed one item at a time, on up to 200 items.",
)


def section(results: Results) -> Section:
    """Ids, versions, prices and the SQL that gives the scorecard again."""
    split, said = results.split, wording.of_headline(results.split.task)
    facts = {"dataset": f"{split.dataset} ({split.dataset_id})", "split": split.name, **results.provenance}
    return Section(
        "Provenance",
        (
            Table((Column("what"), Column("value")), tuple(facts.items())),
            Table(
                (Column("arm"), Column("run"), Column("model"), Column("trained on", numeric=True), Column("started")),
                tuple(_row(result) for result in results.runs),
            ),
            Text(_meaning(results, said)),
            *(Text(meaning) for meaning in MEANINGS),
        ),
    )


def _meaning(results: Results, said: Wording) -> str:
    if results.estimation is not None:
        return OF_FEW.format(noun=said.title)
    return OF_RIGHT if said.counts_right else OF_DEGREES.format(noun=said.title)


def _row(result: RunResult) -> tuple[str, ...]:
    run = result.run
    started = "" if run.started_at is None else f"{run.started_at:%Y-%m-%d %H:%M} UTC"
    trained = "" if run.n_train is None else f"{run.n_train:,.0f}"
    return run.name, run.run_id, run.model or "", trained, started
