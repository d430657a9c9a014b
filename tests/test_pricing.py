from datetime import UTC, datetime

import pytest

from harness import pricing
from harness.errors import ConfigError
from harness.types import Model, Usage

AT = datetime(2026, 11, 20, tzinfo=UTC)
PLAIN = Usage(input_fresh=600, output_visible=5)


@pytest.mark.parametrize(
    ("model", "usage", "batch", "usd"),
    [
        ("openai/gpt-4o", PLAIN, False, 0.00155),
        ("openai/gpt-4o", PLAIN, True, 0.000775),
        ("openai/gpt-4o-mini", PLAIN, False, 0.000093),
        ("openai/gpt-5-mini", PLAIN, False, 0.00016),
        ("openai/gpt-6-luna", PLAIN, False, 0.0000625),
        ("anthropic/claude-haiku-4-5", PLAIN, False, 0.000625),
        ("anthropic/claude-haiku-4-5", PLAIN, True, 0.0003125),
        ("anthropic/claude-haiku-5-5", PLAIN, False, 0.0000625),
        ("anthropic/claude-sonnet-5-5", PLAIN, False, 0.00125),
        ("anthropic/claude-haiku-4-5", Usage(500, 1500, 0, 10), False, 0.00070),
        ("anthropic/claude-haiku-4-5", Usage(500, 1500, 0, 10), True, 0.00035),
        ("anthropic/claude-haiku-4-5", Usage(500, 0, 1500, 10), False, 0.002425),
        ("openai/gpt-5", Usage(176, 1024, 0, 18, 192), False, 0.002448),
    ],
)
def test_published_prices(model, usage, batch, usd):
    """List prices of 2026-11-20, cached, written and reasoning tokens and batch discounts included."""
    provider, _, name = model.partition("/")
    found = pricing.price(Model(provider, name), usage, AT, batch=batch)
    assert found.usd_nano == round(usd * 1e9)
    assert found.as_of.endswith("at 2026-11-20")


@pytest.mark.parametrize(
    "model",
    [
        Model("openai", "no-such-model"),
        Model("openai", "gpt-4o", "http://127.0.0.1:8000/v1"),
        Model("local", "gemma"),
        Model("fake", "first"),
    ],
    ids=str,
)
def test_an_unknown_price_is_none(model):
    """An unknown model, and a server of one's own whatever it calls its model, has no price; never 0."""
    assert pricing.price(model, PLAIN, AT) is None


def test_own_prices_win():
    """Settings price a server of one's own, and override the table."""
    own = pricing.rates({"openai/m": {"input_fresh": 2, "output_visible": 10, "batch": 0.5}}, "x")
    model = Model("openai", "m", "http://127.0.0.1/v1")
    assert pricing.price(model, Usage(1000, 500, 0, 100, 10), AT, overrides=own).usd == pytest.approx(0.0041)
    assert pricing.price(model, PLAIN, AT, batch=True, overrides=own).usd == pytest.approx(0.000625)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"m": 3}, "prices.m: found 3"),
        ({"m": {"input": 3}}, "unknown key 'input'"),
        ({"m": {"input_fresh": -1, "output_visible": 1}}, "input_fresh is -1"),
        ({"m": {"input_fresh": 1}}, "output_visible"),
    ],
)
def test_bad_prices_are_named(table, message):
    """The setting, what was found and what was expected."""
    with pytest.raises(ConfigError, match=message):
        pricing.rates(table, "settings")
