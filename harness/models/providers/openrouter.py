"""Models of many vendors through OpenRouter, by OpenAI's wire and SDK: `openrouter/VENDOR/MODEL`.

Every reply says what it cost, and that is its cost: who served it, and at what price, differs from call to
call. Where a reply must have a schema, only servers that keep to it are asked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.models.providers._dialect import Dialect
from harness.models.providers._vendor import Vendor

if TYPE_CHECKING:
    from harness.models.providers._dialect import Body
    from harness.types import JSON, Request


def _routed(_request: Request, body: Body) -> Body:
    return {**body, "provider": {"require_parameters": True}} if "response_format" in body else body


def reported_usd(usage: JSON) -> float | None:
    """What a call cost by its usage, in dollars; with a vendor's key of one's own, what that vendor charged too."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("cost_details")
    upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
    parts = [usage.get("cost"), *([upstream] if usage.get("is_byok") else [])]
    amounts = [float(part) for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
    is_sound = len(amounts) == len(parts) and all(math.isfinite(amount) and amount >= 0 for amount in amounts)
    return sum(amounts) if is_sound else None


OFFICIAL = "https://openrouter.ai/api/v1"
HOSTS = "openrouter.ai www.openrouter.ai"
KEY = "OPENROUTER_API_KEY"
PRICES = "openrouter"
CHATS = True
DEFAULT_MODEL = "openai/gpt-4o-mini"
MODELS = ("openai/gpt-4o-mini", "google/gemini-2.5-flash-lite", "anthropic/claude-haiku-4.5")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("openrouter", OFFICIAL, Dialect(KEY, logprobs=0, extra=_routed))
available, connect = VENDOR.available, VENDOR.connect
