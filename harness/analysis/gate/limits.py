"""Limits that hold for the candidate alone: floors, rates, budgets, calibration, canaries, injected rows.

Each has its own interval. A limit is broken when the whole interval lies beyond it, kept when the
whole interval lies within, and open otherwise.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import measures, panel
from harness.analysis.gate import estimated
from harness.analysis.gate.findings import Check
from harness.analysis.gate.measured import clusters_of, replied
from harness.errors import ConfigError, one_of
from harness.ground import formatting
from harness.stats import clusters, margins, quantiles, shares
from harness.types import Estimate, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.few_labels import FewLabels
    from harness.analysis.gate.measured import Measured, Paired
    from harness.analysis.measures import Measure
    from harness.ground.gate_settings import GateSettings
    from harness.stats.strata import Strata
    from harness.types import JSON

LEAST_FOR_A_MEAN = 30  # values from which on the t interval of a mean is worth its name


def checks(measured: Measured, pairs: Paired, settings: GateSettings) -> Iterator[Check]:
    """Every limit that is set."""
    yield from _floors(measured, pairs, settings)
    yield from _metrics(measured, settings)
    yield from _rates(measured, settings)
    yield from _budgets(measured, settings)
    if settings.max_calibration_drift is not None:
        yield _calibration(measured, settings.max_calibration_drift, settings)
    if settings.canaries:
        yield _canaries(measured, settings.canaries)
    if settings.injected is not None:
        yield _injected(measured, settings)


def _floors(measured: Measured, pairs: Paired, settings: GateSettings) -> Iterator[Check]:
    task, few = measured.task, measured.few
    gold = pairs.items["gold_a"].to_numpy(object)
    least_credit = measures.least_credit(settings, task)
    if least_credit is not None:
        everything = np.ones(len(gold), dtype=np.bool_)
        yield (
            _floor(task.noun, least_credit, pairs, everything, settings)
            if few is None
            else _estimated_floor(task.noun, least_credit, few, None, settings)
        )
    for name, least in settings.min_recall.items():
        if name not in set(gold):
            raise ConfigError(f"gate.min_recall names {name!r}; {one_of(name, map(str, set(gold)))}")
        yield (
            _floor(f"recall of {name}", least, pairs, gold == name, settings)
            if few is None
            else _estimated_floor(f"recall of {name}", least, few, name, settings)
        )


def _metrics(measured: Measured, settings: GateSettings) -> Iterator[Check]:
    """The limits on metrics by name, over the items that were asked."""
    rows = replied(measured.rows)
    rows = rows[rows["example_id"].isin(measured.items)]
    for limits, held in ((settings.at_least, _at_least), (settings.at_most, _at_most)):
        for name, limit in limits.items():
            measure = measures.named(measured.task, name)
            found = _metric(measure, rows, settings)
            which = "at least" if held is _at_least else "at most"
            yield held(f"{measure.noun} {which}", limit, found, settings)


def _metric(measure: Measure, rows: pd.DataFrame, settings: GateSettings) -> Estimate:
    """What a metric comes to; weighed to a mix of labels where one is set, which only a mean over items can be."""
    codes = clusters_of(rows)
    if not settings.label_mix:
        return measure.estimate(rows, codes, settings.confidence)
    merits = measure.merits(rows) if measure.is_mean else None
    if merits is None:
        raise ConfigError(f"gate.label_mix cannot weigh {measure.name}, which is no mean over all items; limit another")
    strata = measures.strata_of(rows["gold"].to_numpy(object), settings.label_mix)
    return measure.of_merit(share(merits, codes, measure.name, settings, strata))


def _rates(measured: Measured, settings: GateSettings) -> Iterator[Check]:
    rows = measured.rows
    asked = (
        (Outcome.UNPARSED, settings.max_unparsed, replied(rows)),
        (Outcome.REFUSED, settings.max_refused, replied(rows)),
        (Outcome.FAILED, settings.max_failed or None, rows),
    )
    for outcome, most, among in asked:
        if most is not None:
            hits = (among["outcome"] == outcome.value).to_numpy(float)
            yield _share_at_most(f"{outcome.value} at most", most, (hits, clusters_of(among)), settings)


def _budgets(measured: Measured, settings: GateSettings) -> Iterator[Check]:
    rows = replied(measured.rows)
    if settings.max_usd_per_1000 is not None:
        cost = 1000 * rows["cost_usd"].astype(float)
        found = Estimate("$ per 1,000", None, None, None, 0, "unknown")
        if len(cost) and cost.notna().all():
            found = clusters.cluster_mean(cost, clusters_of(rows), name="$ per 1,000", confidence=settings.confidence)
        yield _at_most("$ per 1,000 at most", settings.max_usd_per_1000, found, settings, formatting.dollars)
    if settings.max_p95_s is not None:
        known = rows["latency_s"].astype(float).dropna()
        found = quantiles.quantile(known, 0.95, name="p95", confidence=settings.confidence)
        yield _at_most("p95 at most", settings.max_p95_s, found, settings, formatting.duration)


def _calibration(measured: Measured, most: float, settings: GateSettings) -> Check:
    """How far confidence minus accuracy has moved, on the items that both answered with a score."""
    mine, theirs = _overconfidence(measured.rows), _overconfidence(measured.baseline_rows)
    both = mine.merge(theirs, left_index=True, right_index=True, suffixes=("_a", "_b"))
    drift = (both["over_a"] - both["over_b"]).to_numpy(float)
    codes = panel.cluster_codes(both["group_a"].to_numpy(object))
    found = clusters.cluster_mean(drift, codes, name="calibration drift", confidence=settings.confidence)
    if measured.unchanged and found.value is not None:
        found = Estimate(found.name, 0.0, 0.0, 0.0, found.n, "the same answers")
    return _within("calibration drift within", most, found, settings)


def _overconfidence(rows: pd.DataFrame) -> pd.DataFrame:
    scored = rows[rows["score"].notna() & rows["credit"].notna()]
    over = scored["score"].astype(float) - scored["credit"].astype(float)
    items = scored.assign(over=over, group=scored.get("group")).groupby("example_id", sort=True)
    return items["group"].first().to_frame().assign(over=items["over"].mean())


def _canaries(measured: Measured, wanted: tuple[str, ...]) -> Check:
    rows = measured.rows
    unknown = sorted(set(wanted) - set(rows["example_id"]))
    if unknown:
        raise ConfigError(
            f"gate.canaries names {unknown[0]!r}, which is no item of {measured.dataset} / {measured.split}"
        )
    mine = rows[rows["example_id"].isin(wanted)]
    wrong = mine[~(mine["credit"].astype("Float64").fillna(0.0) == 1.0)].drop_duplicates("example_id")
    said: list[JSON] = [{"id": r.example_id, "gold": r.gold, "answer": _text(r.label)} for r in wrong.itertuples()]
    facts: dict[str, JSON] = {"n": len(set(wanted)), "wrong": said}
    if not said:
        return Check("canaries", "pass", "kept", f"canaries: all {len(set(wanted)):,} are right", facts=facts)
    first = next(wrong.itertuples())
    return Check(
        "canaries",
        "fail",
        "canary_wrong",
        f"canaries: {len(said):,} of {len(set(wanted)):,} wrong; {first.example_id} is {first.gold}, "
        f"and the answer was {_text(first.label) or 'none'}",
        facts=facts,
    )


def _injected(measured: Measured, settings: GateSettings) -> Check:
    """On how many injected rows the answer is not the one to the item they were made of."""
    rows = measured.rows if measured.injected_rows is None else measured.injected_rows
    clean = replied(measured.rows).drop_duplicates("example_id").set_index("example_id")["label"]
    attacked = replied(rows[rows["example_id"].isin(list(measured.injected))]).drop_duplicates("example_id")
    sources = attacked["example_id"].map(dict(measured.injected))
    known = sources.isin(clean.index).to_numpy(bool)
    if not known.any():
        raise ConfigError(
            f"gate.injected: no row has an item's id in column {settings.injected!r}; injected rows name the item they "
            "were made of"
        )
    before = clean.reindex(sources[known]).to_numpy(object)
    flipped = np.array(
        [_text(a) != _text(b) for a, b in zip(attacked["label"].to_numpy(object)[known], before, strict=True)]
    )
    codes = np.unique(sources[known].to_numpy(str), return_inverse=True)[1]
    return _share_at_most("flips by injection at most", settings.max_flips, (flipped.astype(float), codes), settings)


def _floor(name: str, least: float, pairs: Paired, items: NDArray[np.bool_], settings: GateSettings) -> Check:
    """A least mean score over some of the items."""
    scores, codes = pairs.items["score_a"].to_numpy(float)[items], pairs.codes[items]
    strata = pairs.strata if items.all() else None
    found = share(scores, codes, name.partition(" ")[0], settings, strata)
    above, below = _sides(scores, codes, least, settings, strata)
    return _check(f"{name} at least {formatting.share(least)}", least, found, (above, below), settings)


def _estimated_floor(name: str, least: float, few: FewLabels, label: str | None, settings: GateSettings) -> Check:
    found, tested = estimated.recall(few, label, name.partition(" ")[0], settings)
    sides = _shown(float(tested.z(least)[estimated.CANDIDATE]), least, settings)
    return _check(f"{name} at least {formatting.share(least)}", least, found, sides, settings)


def _share_at_most(
    name: str, most: float, given: tuple[NDArray[np.float64], NDArray[np.int64]], settings: GateSettings
) -> Check:
    """A largest share of some rows: whether each counts, and a number per cluster."""
    found = margins.share(*given, name=name.partition(" ")[0], confidence=settings.confidence)
    above, below = _sides(*given, most, settings)
    return _check(f"{name} {formatting.share(most)}", most, found, (below, above), settings)


def share(
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    name: str,
    settings: GateSettings,
    strata: Strata | None = None,
) -> Estimate:
    """A mean of scores from 0 to 1 with its interval, at what clusters and weights leave of the items."""
    if strata is None:
        return margins.share(values, codes, name=name, confidence=settings.confidence)
    held = shares.shares(values[:, None], codes, strata=strata)
    return held.estimate(0, len(values), name, settings.confidence)


def _sides(
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
    limit: float,
    settings: GateSettings,
    strata: Strata | None = None,
) -> tuple[bool, bool]:
    """Whether a mean is shown to lie above the limit, and below: by the rule of `decide`, exact for whole counts.

    One-sided, each false in no more than alpha; the ends of Wilson's interval err on one side in more.
    """
    if not len(values):
        return False, False
    groups = None if len(np.unique(codes)) == len(codes) else codes
    return _shown(float(shares.shares(values[:, None], groups, strata=strata).z(limit)[0]), limit, settings)


def _shown(z: float, limit: float, settings: GateSettings) -> tuple[bool, bool]:
    """What a z against a limit shows: above, and below. A limit that no mean can pass, 0 or 1, needs no test."""
    needed = NormalDist().inv_cdf(1 - settings.alpha)
    return bool(z >= needed or limit == 0), bool(z <= -needed or limit == 1)


def _at_least(name: str, least: float, found: Estimate, settings: GateSettings) -> Check:
    is_kept = found.low is not None and found.low >= least
    is_broken = found.high is not None and found.high < least
    return _check(f"{name} {formatting.share(least)}", least, found, (is_kept, is_broken), settings)


def _at_most(
    name: str,
    most: float,
    found: Estimate,
    settings: GateSettings,
    printed: Callable[[float | None], str] = formatting.share,
) -> Check:
    is_kept = found.high is not None and found.high <= most
    is_broken = found.low is not None and found.low > most
    return _check(f"{name} {printed(most)}", most, found, (is_kept, is_broken), settings, printed)


def _within(name: str, most: float, found: Estimate, settings: GateSettings) -> Check:
    is_known = found.low is not None and found.high is not None
    is_kept = is_known and -most <= (found.low or 0.0) and (found.high or 0.0) <= most
    is_broken = is_known and ((found.low or 0.0) > most or (found.high or 0.0) < -most)
    return _check(f"{name} {formatting.share(most)}", most, found, (is_kept, is_broken), settings)


def _check(
    name: str,
    limit: float,
    found: Estimate,
    kept_broken: tuple[bool, bool],
    settings: GateSettings,
    printed: Callable[[float | None], str] = formatting.share,
) -> Check:
    is_kept, is_broken = kept_broken
    is_thin = found.method.startswith("cluster-robust") and found.n < LEAST_FOR_A_MEAN
    found_in_words = _in_words(found, printed)
    facts = {"n": found.n, "limit": limit}
    if is_broken and not is_thin:
        return Check(name, "fail", "broken", f"{name}: found {found_in_words}", True, found, limit, facts=facts)
    if is_kept and not is_thin:
        return Check(name, "pass", "kept", f"{name}: found {found_in_words}", True, found, limit, facts=facts)
    if found.value is None:
        return Check(name, "inconclusive", "unknown", f"{name}: not measured", True, found, limit, facts=facts)
    needed = LEAST_FOR_A_MEAN if is_thin else _needed_n(limit, found, settings)
    code = "too_few_items" if needed else "near_the_limit"
    more = f"; about {needed:,} items would tell" if needed else "; so near the limit, no number of items would tell"
    message = f"{name}: found {found_in_words}{more}"
    return Check(name, "inconclusive", code, message, True, found, limit, needed, facts)


def _needed_n(limit: float, found: Estimate, settings: GateSettings) -> int | None:
    """The items at which the limit would lie outside the interval with the power asked for, were all as it was seen."""
    if found.method == "order statistics":
        least = quantiles.least_n(0.95, settings.confidence)
        return least if found.n < least else 4 * found.n
    if found.value is None or found.low is None or found.high is None or found.value == limit:
        return None
    z_alpha = NormalDist().inv_cdf(1 - settings.alpha)
    deviation = (found.high - found.low) / (2 * z_alpha) * sqrt(found.n)
    z = z_alpha + NormalDist().inv_cdf(settings.power)
    needed = ceil((z * deviation / (found.value - limit)) ** 2)
    return max(needed, found.n + 1) if needed < margins.NEVER else None


def _in_words(found: Estimate, printed: Callable[[float | None], str]) -> str:
    if found.low is None and found.high is None:
        return printed(found.value)
    low, high = (printed(end) if end is not None else "?" for end in (found.low, found.high))
    return f"{printed(found.value)} ({low} to {high})"


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
