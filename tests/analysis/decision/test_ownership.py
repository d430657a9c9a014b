"""What a month costs: prices, labels, machines and work, at the traffic that is asked for."""

from dataclasses import replace

import pytest

from harness.analysis import decision
from harness.analysis.decision import ownership
from harness.ground.constraints import Constraints
from tests.analysis.decision.test_decision import results

HOUR = 0.10


def bill(name="clf", constraints=None, **arms):
    found = replace(results(200, **arms), cpu_usd_per_hour=HOUR)
    result = next(one for one in found.runs if one.run.arm == name)
    result = replace(result, run=replace(result.run, fit_s=36.0))
    return ownership.bill(found, result, constraints or Constraints())


CLF = {"clf": (0.9, 0.001, 0.01, None)}
LLM = {"llm": (0.9, 2.0, 0.5, "openai/m")}


def test_every_part_of_a_bill():
    """Serving by volume; labels, two retrainings, fitting and work spread over the twelve months."""
    asked = Constraints(
        monthly_volume=50_000,
        usd_per_label=0.6,
        retrain_every_months=5,
        labels_per_retraining=20,
        usd_per_hour_of_work=80,
        hours={"clf": 3},
    )
    found = bill(constraints=asked, **CLF)
    assert found.serving == pytest.approx(50 * 0.001)
    assert found.labels == pytest.approx((100 + 2 * 20) * 0.6 / 12)
    assert found.training == pytest.approx(3 * 36 / 3600 * HOUR / 12)
    assert found.work == pytest.approx(3 * 80 / 12)
    assert found.hosting == 0
    assert found.total == pytest.approx(found.serving + found.labels + found.training + found.work)


def test_a_machine_of_its_own_costs_every_hour():
    """At 1 item a second or none at all, a dedicated machine costs 730.5 hours; a full one needs a second."""
    idle = bill(constraints=Constraints(hosting="own", monthly_volume=1000), **CLF)
    assert idle.hosting == pytest.approx(730.5 * HOUR)
    assert idle.serving == 0
    assert idle.usd_per_1000(1000) == pytest.approx(73.05)
    seconds = 0.001 / 1000 / (HOUR / 3600)
    more_than_a_month = int(730.5 * 3600 / seconds * 1.5)
    assert bill(constraints=Constraints(hosting="own", monthly_volume=more_than_a_month), **CLF).hosting == (
        pytest.approx(2 * 730.5 * HOUR)
    )


def test_hosted_models_have_no_machine_and_a_batch_price():
    """Half price by batch, and the machines are the provider's."""
    plain, batch = (bill("llm", Constraints(batch=batch, hosting="own"), **LLM) for batch in (False, True))
    assert plain.hosting == batch.hosting == 0
    assert batch.serving == pytest.approx(plain.serving / 2)


def test_an_unknown_price_has_no_bill():
    """Null, never 0."""
    assert bill("llm", llm=(0.9, None, 0.5, "openai/m")) is None


@pytest.mark.parametrize(
    ("arm", "model", "here"),
    [
        ("minilm-lr", None, True),
        ("prompt:v3", "local/gemma", True),
        ("prompt:v3", "openai/m", False),
        ("import:theirs", None, False),
        ("cascade:a>b", None, False),
    ],
)
def test_whose_machine(arm, model, here):
    """Baselines and local models run on ours; what was imported or fused may run anywhere."""
    assert ownership.is_here(arm, model) is here


def test_the_break_even_volume_between_finalists():
    """Planted: labels cost $100 a month, the prompt, which needs none, $2 per 1,000: equal at 50,000 items."""
    planted = results(2000, clf=(0.9, 0.0, 0.01, None), llm=(0.9, 2.0, 0.5, "openai/m"))
    runs = [replace(one, run=replace(one.run, n_train=None if one.run.model else 100)) for one in planted.runs]
    planted = replace(planted, runs=tuple(runs))
    asked = Constraints(usd_per_label=12.0, monthly_volume=1_000_000)
    found = decision.decide(planted, asked)
    assert found.recommendation == "clf"
    assert any(said.startswith("a volume below 50,000 items") and "llm" in said for said in found.what_would_change_it)
    fewer = decision.decide(planted, replace(asked, monthly_volume=10_000))
    assert fewer.recommendation == "llm"
    assert any(said.startswith("a volume above 50,000 items") for said in fewer.what_would_change_it)


def test_the_price_of_a_classifier_that_has_a_machine_to_itself():
    """Cheap per second, dear alone: the verdict says below which volume the prompt would cost less."""
    arms = {"clf": (0.9, 0.001, 0.01, None), "llm": (0.9, 2.0, 0.5, "openai/m")}
    found = decision.decide(replace(results(2000, **arms), cpu_usd_per_hour=HOUR), Constraints())
    machine = next(said for said in found.what_would_change_it if said.startswith("a machine that serves nothing"))
    assert "$73.05 a month" in machine
    assert "36,5" in machine  # 73.05 / 2 * 1000 = 36,525 items
    alone = decision.decide(
        replace(results(2000, **arms), cpu_usd_per_hour=HOUR), Constraints(hosting="own", monthly_volume=10_000)
    )
    assert alone.recommendation == "llm"


def test_batches_are_too_late_for_a_limit_on_time():
    """Half price and no latency: a limit on the 95th percentile rules a batched prompt out."""
    arms = {"clf": (0.5, 0.001, 0.01, None), "llm": (0.9, 2.0, 0.5, "openai/m")}
    found = decision.decide(results(400, **arms), Constraints(batch=True, max_p95_s=1.0))
    assert found.recommendation == "clf"
    assert any("a batch, up to a day" in reason for reason in found.reasons)


def test_a_dearer_finalist_says_how_far_its_price_must_fall():
    """Equal accuracy at a hundred times the price: the price at which the bills are equal."""
    arms = {"clf": (0.9, 0.02, 0.01, None), "llm": (0.9, 2.0, 0.5, "openai/m")}
    found = decision.decide(results(2000, **arms), Constraints())
    assert "llm at less than $0.02 per 1,000 items instead of $2.00" in found.what_would_change_it
