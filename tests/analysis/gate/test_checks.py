"""Every check of the gate: what passes, what fails, what cannot tell, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import gate
from harness.analysis.gate.findings import CODES
from harness.errors import ConfigError, MissingAnswers
from harness.ground.gate_settings import GateSettings
from tests.analysis.gate.conftest import from_table, measured, rows

ALONE = GateSettings(class_margin=None)


def settings(**given):
    return GateSettings(**({"class_margin": None} | given))


@pytest.mark.parametrize(
    ("cells", "verdict", "code", "exit_code"),
    [
        ((20, 0, 0, 0), "inconclusive", "too_few_items", 4),
        ((188, 0, 0, 0), "inconclusive", "too_few_items", 4),
        ((300, 0, 0, 0), "pass", "shown_no_worse", 0),
        ((10, 1, 9, 10), "fail", "shown_worse", 1),
        ((101, 59, 121, 33), "fail", "shown_worse", 1),
        ((4000, 100, 180, 720), "inconclusive", "near_the_limit", 4),
        ((0, 0, 1, 0), "inconclusive", "too_few_items", 4),
    ],
)
def test_the_regression_check(cells, verdict, code, exit_code, find):
    """Twenty items that agree are not enough data; a 30-point loss fails; the facts are margin, b, c and n."""
    report = gate.check(measured(*from_table(*cells)), ALONE)
    check = find(report, "accuracy")
    assert (report.verdict, check.code, report.exit_code) == (verdict, code, exit_code)
    assert check.code in CODES
    facts = check.facts
    assert (facts["margin"], facts["b"], facts["c"], facts["n"]) == (0.02, cells[1], cells[2], sum(cells))
    assert (check.needed_n is not None) == (verdict == "inconclusive")


def test_the_same_run_passes_at_any_n():
    """A candidate that is the baseline has lost nothing; its floors are checked all the same."""
    report = gate.check(measured(*from_table(3, 0, 0, 3), unchanged=True), settings(min_accuracy=0.99))
    assert (report.checks[0].name, report.checks[0].code) == ("accuracy", "unchanged")
    assert (report.checks[1].code, report.verdict) == ("broken", "fail")
    alone = gate.check(measured(*from_table(5, 0, 0, 1), unchanged=True), settings())
    assert (alone.verdict, len(alone.checks)) == ("pass", 1)


def test_a_small_class_does_not_keep_the_gate_from_passing():
    """Classes only watch: too small to tell is reported with its n, and the verdict is pass."""
    gold = ["bug"] * 395 + ["billing"] * 5
    report = gate.check(measured([True] * 400, [True] * 400, gold=gold), GateSettings())
    small = next(check for check in report.checks if check.name == "recall of billing")
    assert (report.verdict, small.verdict, small.must_pass) == ("pass", "inconclusive", False)
    assert small.needed_n > 5


def test_slices_are_corrected_together(find):
    """A slice that lost everything fails; those below the least size are not looked at."""
    a = [i % 10 != 0 for i in range(400)]
    parts = {"lang=no": frozenset(f"i{i}" for i in range(0, 400, 10)), "tiny": frozenset({"i1", "i2"})}
    report = gate.check(measured(a, [True] * 400, slices=parts), settings(margin=0.5))
    assert find(report, "slice lang=no").verdict == "fail"
    assert not [check for check in report.checks if "tiny" in check.name]


@pytest.mark.parametrize(
    ("given", "verdict", "code"),
    [
        ({"min_accuracy": 0.5}, "pass", "kept"),
        ({"min_accuracy": 0.95}, "fail", "broken"),
        ({"min_accuracy": 0.81}, "inconclusive", "too_few_items"),
        ({"min_recall": {"bug": 0.5}}, "pass", "kept"),
        ({"max_unparsed": 0.1}, "pass", "kept"),
        ({"max_unparsed": 0.001}, "inconclusive", "too_few_items"),
        ({"max_usd_per_1000": 2.0}, "pass", "kept"),
        ({"max_usd_per_1000": 0.5}, "fail", "broken"),
        ({"max_p95_s": 0.2}, "pass", "kept"),
        ({"max_p95_s": 0.05}, "fail", "broken"),
        ({"canaries": ("i0", "i1")}, "pass", "kept"),
        ({"canaries": ("i0", "i399")}, "fail", "canary_wrong"),
        ({"max_calibration_drift": 0.1}, "inconclusive", "unknown"),
    ],
)
def test_limits(given, verdict, code):
    """Kept, broken or open, each by its own interval; what is not measured is said to be unknown."""
    a, b = from_table(320, 0, 0, 80)
    report = gate.check(measured(a, b), settings(**given))
    check = report.checks[-1]
    assert (check.verdict, check.code) == (verdict, code)
    assert check.message.startswith(check.name)


def test_unknown_cost_is_not_zero():
    """One prediction without a price: the budget check cannot tell."""
    cost = [None] + [0.001] * 399
    one = measured([True] * 400, [True] * 400, candidate_columns={"cost_usd": cost})
    assert gate.check(one, settings(max_usd_per_1000=1000)).checks[-1].code == "unknown"


def test_p95_of_few_items_cannot_tell():
    """Fifty calls do not bound the 95th percentile from above; 72 would."""
    check = gate.check(measured([True] * 50, [True] * 50), settings(max_p95_s=1.0)).checks[-1]
    assert (check.verdict, check.needed_n) == ("inconclusive", 72)


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "pass"), (0.3, "fail")])
def test_calibration_drift(shift, verdict):
    """Confidence that rises by .3 where accuracy does not is drift; the same confidence is none."""
    rng = np.random.default_rng(0)
    right = list(rng.random(400) < 0.6)
    one = measured(right, right, candidate_columns={"score": np.clip(rng.normal(0.6 + shift, 0.02, 400), 0, 1)})
    one.baseline_rows["score"] = np.clip(rng.normal(0.6, 0.02, 400), 0, 1)
    assert gate.check(one, settings(max_calibration_drift=0.1)).checks[-1].verdict == verdict


@pytest.mark.parametrize(("flipped", "verdict"), [(0, "pass"), (60, "fail"), (6, "inconclusive")])
def test_injected_rows(flipped, verdict):
    """The answer to an injected row is the answer to the item it was made of, but for a few."""
    one = measured([True] * 200, [True] * 200)
    attacked = rows("prompt:v2", [i >= flipped for i in range(200)], one.rows["gold"].tolist())
    attacked["example_id"] = [f"x{i}" for i in range(200)]
    attacked["label"] = [one.rows["label"][i] if i >= flipped else "other" for i in range(200)]
    attacked.loc[: max(flipped - 1, 0), "label"] = "spam" if flipped else attacked["label"][0]
    of = {f"x{i}": f"i{i}" for i in range(200)}
    one = measured([True] * 200, [True] * 200, injected=of, injected_rows=attacked)
    found = gate.check(one, settings(injected="of", max_flips=0.05)).checks[-1]
    assert found.verdict == verdict
    assert found.estimate.value == pytest.approx(flipped / 200)


def test_repeats_and_groups_are_clusters():
    """Forty items in eight groups: a perfect agreement that would pass alone is not enough data."""
    alone = gate.check(measured([True] * 400, [True] * 400), settings())
    grouped = measured([True] * 400, [True] * 400, group=[f"g{i // 50}" for i in range(400)])
    found = gate.check(grouped, settings())
    assert (alone.verdict, found.verdict) == ("pass", "inconclusive")
    assert found.checks[0].facts["clusters"] == 8


def test_failed_calls_are_no_wrong_answers():
    """One failed call is missing data: exit 3; where it is allowed it is left out, and its rate is a check."""
    a = [None] + [True] * 399
    with pytest.raises(MissingAnswers, match="1 of 400 items have no reply") as refused:
        gate.check(measured(a, [True] * 400), settings())
    assert refused.value.exit_code == 3
    report = gate.check(measured(a, [True] * 400), settings(max_failed=0.02))
    assert (report.n, report.verdict) == (399, "pass")
    assert report.checks[-1].name == "failed at most .020"


def test_missing_items_are_refused():
    """A side without all the items that are compared: exit 3, and the item is named."""
    one = measured([True] * 40, [True] * 40)
    one = replace(one, baseline_rows=one.baseline_rows[one.baseline_rows["example_id"] != "i3"])
    with pytest.raises(MissingAnswers, match=r"the baseline, prompt:v1, has 39 of the 40 items.*'i3'"):
        gate.check(one, settings())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"canaries": ("nobody",)}, "canaries names 'nobody'"),
        ({"min_recall": {"bag": 0.5}}, "did you mean 'bug'"),
        ({"injected": "of"}, "no row has an item's id in column 'of'"),
    ],
)
def test_a_limit_on_what_is_not_there(given, said):
    """The setting and the nearest name."""
    with pytest.raises(ConfigError, match=said):
        gate.check(measured([True] * 40, [True] * 40), settings(**given))


MIXED = {"bug": 0.9, "billing": 0.05}


def a_loss_on_bugs(n=800):
    """The candidate loses a fifth of the bugs, and wins a fifth of everything else."""
    fifth = (np.arange(n) // 4) % 5 == 0
    is_bug = np.arange(n) % 4 == 0
    return np.where(fifth & is_bug, False, True).tolist(), np.where(fifth & ~is_bug, False, True).tolist()


def test_a_mix_of_labels_turns_the_gate(find):
    """A loss on the label that production is full of: shown to be better as the split is, worse at the mix."""
    sides = measured(*a_loss_on_bugs())
    plain, mixed = (gate.check(sides, settings(label_mix=mix)) for mix in ({}, MIXED))
    assert (plain.verdict, mixed.verdict) == ("pass", "fail")
    assert find(plain, "accuracy").estimate.value == pytest.approx(0.15 - 0.05)
    assert find(mixed, "accuracy").estimate.value == pytest.approx(0.1 * 0.2 - 0.9 * 0.2)
    assert mixed.candidate.accuracy.value == pytest.approx(0.9 * 0.8 + 0.1)
    assert mixed.label_mix == MIXED


def test_a_floor_is_that_of_the_mix(find):
    """.95 of the split, .82 of production: a floor of .9 is kept, and broken; a class's recall is the same in both."""
    sides, floors = measured(*a_loss_on_bugs()), {"min_accuracy": 0.9, "min_recall": {"bug": 0.7}}
    plain, mixed = (gate.check(sides, settings(label_mix=mix, **floors)) for mix in ({}, MIXED))
    assert find(plain, "accuracy at least .900").verdict == "pass"
    assert find(mixed, "accuracy at least .900").verdict == "fail"
    assert find(plain, "recall of bug at least .700") == find(mixed, "recall of bug at least .700")


def test_what_cannot_be_weighed_is_refused():
    """A metric that is no mean over all items, and a label that no item has."""
    sides = measured(*a_loss_on_bugs(80))
    with pytest.raises(ConfigError, match="cannot weigh macro_f1"):
        gate.check(sides, settings(label_mix=MIXED, at_least={"macro_f1": 0.5}))
    with pytest.raises(ConfigError, match="no item has that label"):
        gate.check(sides, settings(label_mix={"refund": 0.5}))
