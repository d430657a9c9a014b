"""Every arm on the same items: accuracy with its interval, macro-F1, money, waiting, gaps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.analysis import comparison, measures, pair_words, wording
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Section, Table, Text
from harness.report.sections import _ceiling, _cells, _unread

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.results import Results, RunResult, Spread

ORDER = 10
COLUMNS = (
    Column("arm"),
    Column("accuracy", numeric=True),
    Column("95%", numeric=True),
    Column("macro-F1", numeric=True),
    Column("$ per 1,000", numeric=True),
    Column("p50", numeric=True),
    Column("p95", numeric=True),
    Column("p99", numeric=True),
    Column("no answer", numeric=True),
)


def section(results: Results) -> Section:
    """The scorecard, best arm first."""
    split = results.split
    looks = "once" if split.looks == 1 else f"{split.looks:,} times"
    labels = f", {formatting.plural(len(split.labels), 'label')}" if split.task.rules.HAS_CLASSES else ""
    waiting = f" {formatting.plural(split.unlabelled, 'further item')} without a label are no part of it."
    drawn = f" {wording.looked_at(split.n, split.subsample_of)} Outcomes, costs and times are of all."
    head = (
        f"{split.dataset} / {split.name}: {formatting.plural(split.n, 'item')}{labels}; this split was scored {looks}."
        f"{waiting if split.unlabelled else ''}"
        f"{drawn if split.subsample_of else ''}"
    )
    extra = tuple(name for name in measures.of_files(split.task) if any(name in one.metrics for one in results.runs))
    has_f1 = "macro_f1" in split.task.rules.METRICS
    rows = tuple(_row(result, extra, has_f1=has_f1) for result in results.runs)
    shown = [column for column in COLUMNS if has_f1 or column.title != "macro-F1"]
    columns = (*_cells.worded(shown, split.task), *(Column(name, numeric=True) for name in extra))
    return Section(
        "Scorecard", (Text(head), Table(columns, rows, sql=queries.line(results, "scorecard")), *_notes(results))
    )


def _row(result: RunResult, extra: tuple[str, ...], *, has_f1: bool) -> tuple[str, ...]:
    metrics, latency_s = result.metrics, result.latency_s
    return (
        result.run.name,
        formatting.share(result.headline.value),
        formatting.span(result.headline),
        *((formatting.share(metrics["macro_f1"].value) if "macro_f1" in metrics else "",) if has_f1 else ()),
        formatting.dollars(result.cost_per_1000_usd),
        formatting.duration(latency_s["p50"]),
        formatting.duration(latency_s["p95"]),
        formatting.duration(latency_s["p99"]),
        formatting.count(result.unanswered),
        *(formatting.with_interval(metrics[name]) if name in metrics else "" for name in extra),
    )


def _notes(results: Results) -> list[Text]:
    split_n = results.split.n
    said = _ceiling.ceiling(results)
    asked = {r.run.arm_name: r.run.model for r in results.runs if r.run.model and r.run.model not in r.run.arm_name}
    notes = [Text(f"{arm} asks {model}.", "quiet") for arm, model in asked.items()]
    notes += [] if said is None else [Text(said)]
    notes += [Text(_spread(spread, results.split.task.noun)) for spread in results.spreads]
    notes += _cross_validated(results)
    notes += _head_to_head(results)
    notes += [Text(f"{one.name} is not shown: {one.reason}.", "warning") for one in results.passed_over]
    notes += [
        Text(
            f"{r.run.name}: {r.missing:,} of the {formatting.plural(split_n, 'item')} missing; scored on the others.",
            "warning",
        )
        for r in results.runs
        if r.missing
    ]
    failed = [f"{r.run.name} ({r.n - r.headline.n})" for r in results.runs if r.headline.n < r.n]
    if failed:
        notes.append(Text(f"Failed calls are not scored: {', '.join(failed)}.", "warning"))
    return notes + _unread.notes(results)


def _cross_validated(results: Results) -> list[Text]:
    """Which arms were fitted in folds: their items are not wholly independent, which no interval can show."""
    folds = {result.run.name: result.run.params["folds"] for result in results.runs if "folds" in result.run.params}
    if not folds:
        return []
    said = ", ".join(f"{arm} ({k} folds)" for arm, k in folds.items())
    return [
        Text(
            f"Cross-validated: {said}. Each item was predicted by a fit that had not seen it; fits share most of their "
            "training items, so the intervals, which take items as independent, are somewhat too narrow.",
            "quiet",
        )
    ]


def _spread(spread: Spread, noun: str) -> str:
    values = ", ".join(formatting.share(value) for value in spread.values)
    return (
        f"{spread.name} was {'asked' if spread.model else 'fitted'} {len(spread.values)} times: {noun} {values} "
        f"(mean {formatting.share(spread.mean)}, "
        f"standard deviation {formatting.share(spread.deviation)}); the answer changed for "
        f"{formatting.with_interval(spread.changed)} of the items."
    )


def _items(one: Comparison) -> str:
    items, table = formatting.plural(one.n, "item"), one.table
    if table is None:
        return f"on {items}"
    return f"of {items} {table.only_a:,} only {one.a} got right, {table.only_b:,} only {one.b}"


def _head_to_head(results: Results) -> list[Text]:
    """The best arm beside the best prompt (or the best arm that is none), on the same items."""
    fits = Counter(result.run.arm_name for result in results.runs)
    results = results.by_arm
    best = results.runs[0]
    prompts = [result for result in results.runs if result.run.model]
    without = [result for result in results.runs if not result.run.model]
    rival = (without or results.runs)[0] if best.run.model else (prompts or [best])[0]
    if rival is best:
        return []
    others = [result for result in results.runs if result is not best]
    made = comparison.leading(results.answers[best.run.run_id], [results.answers[r.run.run_id] for r in others])
    found = made[others.index(rival)]
    arms = len(results.runs)
    p_value = f"p {pair_words.p_value(found)}" + (f" (Holm, all pairs of {arms} arms)" if arms > 2 else "")
    fitted = [
        one.run.name for one in (best, rival) if one.run.n_train and not one.run.model and fits[one.run.arm_name] == 1
    ]
    fit = f" This is one fit of {' and of '.join(fitted)}; another may differ." if fitted else ""
    return [
        Text(
            f"{found.a} {'beats' if found.is_shown else 'cannot be told from'} {found.b}: "
            f"{formatting.with_interval(found.lead)}, {p_value}; {_items(found)}.{fit}",
            "verdict",
        )
    ]
