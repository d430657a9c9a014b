"""Verdicts over planted results: what is served, when it is open, and what would decide it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis import curves, decision
from harness.analysis.results import BUCKETS, RunFacts, Split, analyse
from harness.errors import ConfigError
from harness.ground.constraints import Constraints
from harness.stats import intervals

LABELS = ("a", "b")


def results(n=400, **arms):
    """Arms as (share right, $ per 1,000, p95, model); every arm is right on the first items, so pairs are planted."""
    frames, facts = [], []
    for name, (right, usd_per_1000, p95_s, model) in arms.items():
        hits = np.arange(n) < round(right * n)
        gold = np.array([LABELS[i % 2] for i in range(n)])
        wrong = np.array([LABELS[(i + 1) % 2] for i in range(n)])
        frame = {
            "run_id": name,
            "arm": name,
            "example_id": [f"i{i:05}" for i in range(n)],
            "group": None,
            "gold": gold,
            "outcome": "answered",
            "label": np.where(hits, gold, wrong),
            "credit": hits.astype(float),
            "cost_usd": None if usd_per_1000 is None else usd_per_1000 / 1000,
            "billed_usd": 0.0,
            "latency_s": p95_s,
            "attempts": 1,
            "cached": False,
            **dict.fromkeys(BUCKETS, pd.NA),
        }
        frames.append(pd.DataFrame(frame))
        facts.append(RunFacts(name, name, model, "done", 0, 0, 100, {}, None, 1.0, None))
    split = Split("d@v1", "s1:d", "test", "single", LABELS, n)
    return analyse(split, facts, pd.concat(frames), {})


def decide(found, **constraints):
    return decision.decide(found, Constraints(**constraints))


def test_the_classifier_is_named_although_the_prompt_disagrees_with_it():
    """.95 beside an LLM's .85: truth is the gold label, not the LLM."""
    found = decide(results(clf=(0.95, 0.001, 0.01, None), llm=(0.85, 1.0, 0.5, "openai/m")))
    assert (found.recommendation, found.verdict) == ("clf", "decided")
    assert next(one for one in found.candidates if one.arm == "llm").dominated_by == "clf"
    assert "a prompt that is right on .080 more of the items than llm" in found.what_would_change_it


def test_the_cheapest_that_is_shown_to_be_close_is_served():
    """Half a point behind on 2,000 items and a thousandth of the price: the margin was meant for this."""
    arms = results(2000, cheap=(0.895, 0.001, 0.01, None), dear=(0.9, 5.0, 0.5, "openai/m"))
    found = decide(arms)
    assert (found.recommendation, found.verdict) == ("cheap", "decided")
    assert "shown to be no more than .02 worse than dear" in found.reasons[1]
    assert "$0.1 instead of $500.00 a month" in found.reasons[1]


def test_a_price_that_does_not_matter_does_not_decide():
    """Both bills are far below a dollar a month: the more accurate one is served."""
    found = decide(results(2000, a=(0.9, 0.00007, 0.01, None), b=(0.895, 0.00005, 0.01, None)))
    assert found.recommendation == "a"


def overlapping(n):
    """Two arms of the same accuracy that disagree on every fifth item, one of them dear."""
    found = results(n, cheap=(0.8, 0.001, 0.01, None), dear=(0.8, 5.0, 0.5, "openai/m"))
    rows = found.predictions
    dear = rows[rows["run_id"] == "dear"]
    rolled = np.roll(dear["credit"].to_numpy(), n // 10)
    rows.loc[rows["run_id"] == "dear", "credit"] = rolled
    return replace(found, predictions=rows)


def test_too_few_items_are_said_to_be_too_few():
    """The same accuracies on 100 items cannot tell; the verdict says how many more would, and on those it tells."""
    few = decide(overlapping(100))
    assert few.verdict == "undecided"
    assert few.more_items > 500
    said = f"With {few.more_items:,} more labels the verdict would be decided"
    assert said in few.headline
    assert not any("more labels" in reason for reason in few.reasons)
    many = decide(overlapping(few.more_items + 1500))
    assert (many.recommendation, many.verdict) == ("cheap", "decided")


@pytest.mark.parametrize(
    ("constraints", "broken"),
    [
        ({"max_usd_per_1000": 1.0}, {"dear"}),
        ({"max_p95_s": 0.1}, {"dear"}),
        ({"min_accuracy": 0.97}, {"dear", "cheap"}),
        ({"min_recall": {"a": 0.99}}, {"dear", "cheap"}),
    ],
)
def test_constraints_take_arms_out_and_say_why(constraints, broken):
    """Cost, time, accuracy and the recall of a label; what is shown to break one is out."""
    found = decide(results(cheap=(0.8, 0.001, 0.01, None), dear=(0.9, 5.0, 0.5, "m")), **constraints)
    assert {one.arm for one in found.candidates if one.state == "broken"} == broken
    assert {reason.split(" is out: ")[0] for reason in found.reasons if " is out: " in reason} == broken
    assert found.recommendation == (None if len(broken) == 2 else "cheap")


def test_a_constraint_that_the_data_cannot_settle_is_open():
    """.90 (.867 to .926) against at least .9: not broken, not surely kept, so not decided."""
    found = decide(results(clf=(0.9, 0.001, 0.01, None), bad=(0.5, 0.001, 0.01, None)), min_accuracy=0.9)
    assert (found.recommendation, found.verdict) == ("clf", "undecided")
    assert any(reason.startswith("Open: whether it keeps accuracy at least .900") for reason in found.reasons)


def test_an_unknown_price_is_never_the_cheaper_one():
    """No price, no bill; the arm can still be the most accurate."""
    found = decide(results(2000, own=(0.9, None, 0.5, "openai/own"), clf=(0.9, 0.001, 0.01, None)))
    assert found.recommendation == "clf"
    own = next(one for one in found.candidates if one.arm == "own")
    assert own.monthly_usd is None
    assert own.limits == ()
    limited = decide(results(own=(0.9, None, 0.5, "openai/own"), bad=(0.1, 9.0, 1.0, None)), max_usd_per_1000=1.0)
    assert (limited.recommendation, limited.verdict) == ("own", "undecided")


def test_a_bill_has_serving_and_labels():
    """Volume times price, and the training labels spread over the months."""
    found = decide(
        results(clf=(0.9, 2.0, 0.01, None), x=(0.1, 1.0, 0.1, None)), monthly_volume=50_000, usd_per_label=0.6, months=6
    )
    assert found.candidates[0].monthly_usd == pytest.approx(50 * 2.0 + 100 * 0.6 / 6)


def test_a_wrong_arm_is_rarely_decided_for():
    """Planted: the cheap arm is exactly the margin worse. It is recommended as decided in at most about 2.5%."""
    rng, wrong, runs, n = np.random.default_rng(3), 0, 200, 300
    base = results(n, cheap=(0.8, 0.001, 0.01, None), dear=(0.8, 5.0, 0.5, "m"))
    for _ in range(runs):
        kinds = rng.choice(4, size=n, p=[0.75, 0.05, 0.07, 0.13])  # both, only cheap, only dear, neither
        rows = base.predictions.copy()
        rows.loc[rows["run_id"] == "cheap", "credit"] = np.isin(kinds, (0, 1)).astype(float)
        rows.loc[rows["run_id"] == "dear", "credit"] = np.isin(kinds, (0, 2)).astype(float)
        found = [replace(r, metrics=_accuracy(rows, r.run.run_id)) for r in base.runs]
        made = decide(replace(base, predictions=rows, runs=tuple(found)))
        wrong += (made.recommendation, made.verdict) == ("cheap", "decided")
    assert wrong / runs <= 0.05


def _accuracy(rows, run_id):
    right = rows[rows["run_id"] == run_id]["credit"]
    return {"accuracy": intervals.wilson(int(right.sum()), len(right))}


def with_curve(found, arm, sizes, shares, rival):
    """The results with a stored learning curve of an arm, held against another arm's run."""
    n = found.split.n
    right = np.array([[np.arange(n) < round(share * n) for share in shares]] * 3)
    rows = found.predictions[found.predictions["run_id"] == rival]
    scores = dict(zip(rows["example_id"], rows["credit"].astype(float), strict=True))
    learnt = curves.Learnt(arm, sizes, right, tuple(rows["example_id"]))
    return replace(found, curves=curves.Curves((learnt,), (), {}, curves.Rival(rival, scores), rival))


@pytest.mark.parametrize(
    ("served", "shares", "said"),
    [
        ("clf", (0.7, 0.8, 0.9), "fewer than 100 labels (100 to 100) to train on: then llm is the more accurate"),
        ("clf", (0.5, 0.6, 0.7), None),
        ("llm", (0.7, 0.8, 0.9), "more than 100 labels (100 to 100) to train clf on: then it is the more accurate"),
        (
            "llm",
            (0.5, 0.6, 0.7),
            "more than the 200 labels that were tried for clf, which does not meet llm with those",
        ),
    ],
)
def test_the_crossover_is_among_what_would_change_it(served, shares, said):
    """With how many labels a stored curve meets the prompt, read from the side of the arm that is served."""
    better = {"clf": (0.9, 0.8), "llm": (0.7, 0.8)}[served]
    found = results(2000, clf=(better[0], 0.001, 0.01, None), llm=(better[1], 0.002, 0.5, "openai/m"))
    decided = decide(with_curve(found, "clf", (50, 100, 200), shares, "llm"))
    assert decided.recommendation == served
    labels = [change for change in decided.what_would_change_it if "labels" in change and "dearer" not in change]
    assert labels == ([] if said is None else [said])


def mixed(n=1000):
    """Half of the items are b: `eager` is right on nearly all of them and on few others, `calm` on most of both."""
    found = results(n, eager=(0.9, 0.001, 0.01, None), calm=(0.8, 0.001, 0.01, None))
    rows = found.predictions.copy()
    number = rows["example_id"].str.lstrip("i").astype(int)
    is_spam = number % 2 == 0
    rows["gold"] = np.where(is_spam, "b", "a")
    is_right = np.where(rows["run_id"] == "eager", np.where(is_spam, number % 20 > 1, number % 4 != 1), number % 5 > 0)
    rows["credit"] = is_right.astype(float)
    return replace(found, predictions=rows)


def test_another_mix_of_labels_may_turn_the_choice_and_says_so():
    """.90 and .50 by label against .80 throughout: best with much spam, worst with little."""
    found = mixed()
    means = found.predictions.groupby(["run_id", "gold"])["credit"].mean()
    assert means["eager", "b"] > means["calm", "b"] > means["eager", "a"]
    much, little = (decide(found, label_mix={"b": share}) for share in (0.95, 0.05))
    assert (much.recommendation, little.recommendation) == ("eager", "calm")
    plain = decide(found).recommendation
    turned = little if plain == "eager" else much
    kept = much if plain == "eager" else little
    assert any(f"at the split's own mix it would be {plain}" in reason for reason in turned.reasons)
    assert not any("it would be" in reason for reason in kept.reasons)
    share = 0.05 * means["eager", "b"] + 0.95 * means["eager", "a"]
    assert next(one for one in little.candidates if one.arm == "eager").headline.value == pytest.approx(share)


def test_a_mix_without_items_of_a_label_is_a_users_mistake():
    """Nothing was measured on it: exit code 2 and the label by name."""
    with pytest.raises(ConfigError, match="'c' has a share of 0.5, and no item has that label"):
        decide(mixed(), label_mix={"c": 0.5})


def test_the_mix_leaves_no_sentence_where_there_is_none():
    """Without a mix nothing speaks of one."""
    assert not any("mix of labels" in reason for reason in decide(mixed()).reasons)
