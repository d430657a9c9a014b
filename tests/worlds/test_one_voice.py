"""Twelve logs beside fitted arms: scorecard, verdict, comparisons, report, post and front page never contradict."""

import json
import re
from dataclasses import replace

import pytest

from harness.analysis import comparison, decision, pair_words, panel
from harness.ground import formatting
from harness.ground.constraints import Constraints
from harness.report import build, post
from tests.worlds.logs import Logs
from tests.worlds.reading import markdown_tables, with_column

PLANTED = [Logs(0, n=150), Logs(3, group_size=4, fits=3, n=120)]
MORE = [Logs(seed, size, fits=fits, n=n) for seed in (10, 11) for size in (1, 5) for fits in (1, 3) for n in (60, 400)]
LIMITS = {"none": Constraints(), "a floor": Constraints(min_accuracy=0.85), "dear": Constraints(monthly_volume=10**7)}


class Said:
    """What each reader says of the same results."""

    def __init__(self, results):
        self.arms = results.by_arm
        self.decision = decision.decide(results, results.constraints)
        rows = [self.arms.answers[one.run.run_id] for one in self.arms.runs]
        self.pairs = {}
        for one in comparison.compare_all(panel.of(rows)):
            self.pairs[one.a, one.b] = one
        files = build.build(results, drawn=[])
        self.report, self.summary = files["report.md"].decode(), json.loads(files["summary.json"])
        self.post = post.draft(results, [])
        self.shown = {
            (one.a, one.b) if one.difference.value > 0 else (one.b, one.a)
            for one in self.pairs.values()
            if one.is_shown
        }

    def pair(self, a, b):
        """The comparison of all pairs that is of these two, whichever comes first."""
        return self.pairs.get((a, b)) or self.pairs[b, a]


def plain(text):
    return re.sub(r"\\([\\`*_\[\]#|~<>])", r"\1", text)


def assert_one_voice(said):
    """Every claim that one of them makes, the others make too."""
    assert_same_verdict(said)
    assert_same_pairs(said)
    assert_same_figures(said)
    assert_same_doubts(said)


def assert_same_verdict(said):
    found = said.decision
    for text in (said.report, said.post):
        assert found.headline in plain(text)
        for reason in found.reasons:
            assert reason in plain(text), reason
    assert said.summary["verdict"] == found.headline
    best = max(one.headline.value for one in said.arms.runs)
    assert said.summary["value"] == best
    leaders = [one.run.name for one in said.arms.runs if one.headline.value == best]
    assert (said.summary["arm"], said.summary["tied"]) == (leaders[0], len(leaders) - 1)
    head = plain(said.post.splitlines()[2])
    assert f"{len(said.arms.runs)} arms" in head
    assert all(name in head for name in leaders)
    assert ("was right most often" in head) == (len(leaders) == 1)


def assert_same_pairs(said):
    found = said.decision
    worse = re.findall(r"([^ ]+) \(by ", next((r for r in found.reasons if r.startswith("Shown to be less")), ""))
    assert {(found.recommendation, name) for name in worse} == {
        pair for pair in said.shown if pair[0] == found.recommendation and pair[1] in may_serve(found)
    }
    for one in found.candidates:
        assert one.dominated_by is None or (one.dominated_by, one.arm) in said.shown
        assert one.arm != found.recommendation or one.dominated_by is None
    best = said.arms.runs[0].run.name
    table = with_column(markdown_tables(plain(said.report)), "against", "p, Holm", "difference")
    assert len(table) == len(said.arms.runs) - 1
    for row in table:
        one = said.pair(best, row["against"])
        assert row["p, Holm"] == pair_words.p_value(one)
        is_told = not re.search(
            rf"{re.escape(best)} cannot be told from {re.escape(row['against'])}:", plain(said.post)
        )
        assert is_told == one.is_shown, row
        if one.adjusted_p <= 0.05 and not one.is_shown:
            assert "at worst" in row["p, Holm"]
        lead = one.lead if one.a == best else flipped(one.lead)
        assert row["difference"] == formatting.with_interval(lead)
    if "shown to be the most accurate" in " ".join(found.reasons):
        assert {name for winner, name in said.shown if winner == found.recommendation} >= may_serve(found)


def may_serve(found):
    """The other arms that are not out."""
    return {one.arm for one in found.candidates if one.state != "broken"} - {found.recommendation}


def flipped(one):
    return replace(one, value=-one.value, low=-one.high, high=-one.low)


def assert_same_figures(said):
    printed = with_column(markdown_tables(plain(said.report)), "arm", "accuracy", "macro-F1")
    in_post = with_column(markdown_tables(plain(said.post)), "arm", "accuracy", "labels")
    candidates = {one.arm: one.headline for one in said.decision.candidates}
    runs = {one.run.name: one.headline for one in said.arms.runs}
    assert candidates == runs
    for row in printed:
        if row["arm"] in runs and " seed " not in row["arm"] and len(in_post) == len(runs):
            found = runs[row["arm"]]
            assert (row["accuracy"], row["95%"]) == (formatting.share(found.value), formatting.span(found))
    for one, other in zip(printed, in_post, strict=True):
        assert one["arm"] == other["arm"]
        assert other["accuracy"].startswith(one["accuracy"])
        assert re.findall(r"[.\d]+", one["95%"]) == re.findall(r"[.\d]+", other["accuracy"])[1:]


def assert_same_doubts(said):
    found, reasons = said.decision, " ".join(said.decision.reasons)
    failed = {one.run.name: one.n - one.headline.n for one in said.arms.runs if one.headline.n < one.n}
    assert {one.arm: one.failed for one in found.candidates if one.failed} == failed
    for name, count in failed.items():
        assert f"{name} ({count})" in plain(said.report)
        assert f"{name} ({count})" in reasons
    if found.recommendation in failed:
        assert f"of {found.recommendation} failed" in reasons
    open_ones = {one.arm: one for one in found.candidates if one.arm in found.open}
    for name in open_ones:  # what might be better by more than the margin is not shown to be less accurate
        if f"Open: {name} might be better" in reasons:
            assert (found.recommendation, name) not in said.shown
    if found.verdict == "decided":
        for one in found.candidates:
            if one.arm not in (found.recommendation, *(o.arm for o in found.candidates if o.state == "broken")):
                pair = said.pair(found.recommendation, one.arm)
                lead = pair.lead if pair.a == one.arm else flipped(pair.lead)
                assert lead.low <= 0.02, f"{found.headline} though {one.arm} leads by {lead}"


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_nothing_contradicts(planted):
    """One winner, the same figures, the same pairs that are shown, the same failed calls and ties, everywhere."""
    assert_one_voice(Said(planted.results()))


@pytest.mark.sims
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("planted", MORE, ids=str)
def test_nothing_contradicts_in_any_of_many(planted, limits):
    """The same over more draws, sizes and constraints."""
    assert_one_voice(Said(replace(planted.results(), constraints=LIMITS[limits])))
