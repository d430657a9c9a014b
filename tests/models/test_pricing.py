from datetime import UTC, datetime

import pytest

from harness.errors import ConfigError
from harness.ground import plugins
from harness.models import pricing
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


@pytest.mark.parametrize(
    ("model", "share"),
    [
        *[(f"anthropic/{name}", 0.5) for name in ("claude-opus-4-1", "claude-sonnet-4-20250514", "claude-3-haiku")],
        *[(f"anthropic/{name}", 0.5) for name in ("claude-3-5-haiku-latest", "claude-3-7-sonnet-latest")],
        ("openai/gpt-4o-mini", 0.5),
        ("openai/gpt-4o-search-preview", None),
        ("mistral/mistral-large-latest", 0.5),
        ("groq/openai/gpt-oss-20b", 0.5),
        ("groq/llama-3.1-8b-instant", None),
    ],
)
def test_a_batch_has_its_own_price_or_none(model, share):
    """The table's; else what the vendor documents for all its models; a list price is never a batch price."""
    provider, _, name = model.partition("/")
    whole, half = (pricing.price(Model(provider, name), PLAIN, AT, batch=batch) for batch in (False, True))
    assert (None if half is None else half.usd_nano / whole.usd_nano) == (share and pytest.approx(share, rel=1e-3))


def test_prices_that_change_with_the_hour_are_those_of_the_call():
    """DeepSeek's change at half past: what is looked up once is not the price of the whole hour."""
    tariff = pricing.Tariff(Model("deepseek", "deepseek-chat"))
    usage = Usage(input_fresh=1_000_000)
    at = {minute: tariff.per_million(usage, datetime(2025, 6, 1, 0, minute, tzinfo=UTC)) for minute in (10, 29, 30, 59)}
    assert at[10] == at[29] < at[30] == at[59]


def test_every_model_that_is_listed_has_a_price():
    """Of the vendors that have a price list."""
    for provider in plugins.names("providers"):
        if pricing.price_list(provider) is not None:
            for name in plugins.load("providers", provider).MODELS:
                assert pricing.price(Model(provider, name), PLAIN, AT).usd_nano > 0, f"{provider}/{name}"


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
