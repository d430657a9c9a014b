"""The figure of fusions of two arms: the sweep, its bounds, and what was chosen and stored."""

from dataclasses import replace

import pytest

from harness.analysis.comparison import Answers
from harness.analysis.fusion.members import NEVER, members
from harness.analysis.fusion.sweep import walk
from harness.report import drawings
from harness.report.figures import _style, cascade
from tests.report.conftest import made, with_cascade, with_router


def drawn(results):
    with drawings._theme(_style.LIGHT):
        return cascade.draw(results)


def of(drawing):
    return [dict(zip(drawing.columns, row, strict=True)) for row in drawing.rows]


def swept(drawing):
    """The rows of the cascade at any threshold."""
    return [row for row in of(drawing) if row["run_id"] is None]


def stored(drawing):
    """The rows of what was chosen and stored, by arm."""
    return {row["arm"]: row for row in of(drawing) if row["run_id"] is not None}


def rechosen(results, **changed):
    *rest, fused = results.runs
    params = {"choice": fused.run.params["choice"] | changed}
    return replace(results, runs=(*rest, replace(fused, run=replace(fused.run, params=params))))


def test_every_threshold_is_what_walking_the_items_gives():
    """Share asked, accuracy and cost at each row of the table, item by item; the first asks the dear arm all."""
    results = with_cascade(made())
    pair = [next(one for one in results.runs if one.run.arm == arm) for arm in ("tfidf-lr", "prompt:v3")]
    whole = members([Answers(one.run.arm, results.answers[one.run.run_id].rows) for one in pair]).whole()
    rows = swept(drawn(results))
    assert rows[0]["threshold"] is None
    assert rows[0]["share_of_dear"] == 1
    for row in rows:
        walked = walk(whole, [NEVER if row["threshold"] is None else row["threshold"]])
        assert row["share_of_dear"] == pytest.approx((walked.by == 1).mean())
        assert row["accuracy"] == pytest.approx(walked.credit.mean())
        assert row["cost_per_1000_usd"] == pytest.approx(1000 * walked.cost_usd.mean())


def test_bounds_enclose_the_sweep():
    """No threshold passes the oracle; by lot is on the straight line between the arms; intervals stay in 0 to 1."""
    results = with_cascade(made())
    rows = swept(drawn(results))
    ends = sorted((row["share_of_dear"], row["by_lot"]) for row in rows)
    slope = (ends[-1][1] - ends[0][1]) / (ends[-1][0] - ends[0][0])
    for row in rows:
        assert row["accuracy"] <= row["most"] + 1e-12
        assert row["by_lot"] == pytest.approx(ends[0][1] + slope * (row["share_of_dear"] - ends[0][0]))
        assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1


def test_the_chosen_cascade_is_the_row_with_its_threshold():
    """Its share of dear calls and its accuracy, from its own stored answers, and said in words."""
    drawing = drawn(with_cascade(made(), threshold=0.7))
    row = next(row for row in swept(drawing)[::-1] if row["threshold"] is not None and row["threshold"] >= 0.7)
    (chosen,) = stored(drawing).values()
    for column in ("share_of_dear", "n", "accuracy", "low", "high", "by_lot", "most"):
        assert chosen[column] == pytest.approx(row[column]), column
    share = _style.formatting.share(row["share_of_dear"])
    assert f"cascade:tfidf-lr>prompt:v3, as chosen, asks prompt:v3 for {share} of the items" in drawing.alt
    assert f"is right on {_style.formatting.share(row['accuracy'])} (" in drawing.alt


@pytest.mark.parametrize("beside", [with_cascade, lambda results: results], ids=["beside a cascade", "alone"])
def test_a_router_is_a_point_of_its_own(beside):
    """The share that it sent to the dear arm and how often it was right, on the items on which neither arm failed."""
    results = with_router(beside(made()))
    fused = next(one for one in results.runs if one.run.arm.startswith("router:"))
    rows = results.answers[fused.run.run_id].rows.set_index("example_id")
    failed = results.answers[next(one for one in results.runs if one.run.arm == "prompt:v3").run.run_id].rows
    rows = rows.drop(failed.loc[failed["outcome"] == "failed", "example_id"])
    drawing = drawn(results)
    point = stored(drawing)["router:tfidf-lr>prompt:v3"]
    assert point["n"] == len(rows) == 58
    assert point["share_of_dear"] == pytest.approx((rows["answered_by"] == "prompt:v3").mean())
    assert point["accuracy"] == pytest.approx(rows["credit"].mean())
    assert point["cost_per_1000_usd"] == pytest.approx(1000 * rows["cost_usd"].mean())
    assert point["accuracy"] <= point["most"]
    assert "router:tfidf-lr>prompt:v3, as chosen, asks prompt:v3" in drawing.alt
    assert len(swept(drawing)) > 10


@pytest.mark.parametrize(
    "changed",
    [
        {"how": "vote", "thresholds": []},
        {"parts": [{"arm_id": "s1:gone", "model": None}, {"arm_id": "s1:prompt:v3", "model": "openai/m"}]},
        {"parts": [{"arm_id": "s1:tfidf-lr", "model": None}, {"arm_id": "s1:prompt:v3", "model": "openai/another"}]},
        {"parts": [{"arm_id": f"s1:{one}"} for one in ("majority", "tfidf-lr", "minilm-lr")], "thresholds": [0.5, 0.5]},
    ],
    ids=["a vote", "a member that is not shown", "another model", "three stages"],
)
def test_nothing_is_drawn_without_a_fusion_of_two_shown_arms(changed):
    """No fusion, another kind, or members whose predictions are not among the results."""
    assert cascade.draw(made()) is None
    assert cascade.draw(rechosen(with_cascade(made()), **changed)) is None


def test_a_price_that_is_unknown_stays_unknown():
    """The cost is empty where the dear arm has no price, and known where it is not asked."""
    arms = {
        "minilm-lr": {"right": 0.9},
        "tfidf-lr": {"right": 0.7},
        "prompt:v1": {"right": 0.5, "cost": None, "model": "openai/own"},
    }
    rows = swept(drawn(with_cascade(made(arms=arms))))
    assert rows[0]["cost_per_1000_usd"] is None
    assert all((row["cost_per_1000_usd"] is None) == (row["share_of_dear"] > 0) for row in rows)
