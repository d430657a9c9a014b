"""DeepSeek's models, through OpenAI's wire and SDK.

Tokens read from the cache stand at the top level of the usage. JSON comes without a schema, so the prompt
itself must ask for it. Models think unless `reasoning_effort: none` tells them not to; no seed, and no
log-probabilities while they think.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.models.providers._dialect import Dialect
from harness.models.providers._vendor import Vendor

if TYPE_CHECKING:
    from harness.models.providers._dialect import Body
    from harness.types import Request


def _thinking(_request: Request, body: Body) -> Body:
    """Thinking has a switch of its own here, beside the effort."""
    if body.get("reasoning_effort") != "none":
        return body
    kept = {name: value for name, value in body.items() if name != "reasoning_effort"}
    return {**kept, "thinking": {"type": "disabled"}}


OFFICIAL = "https://api.deepseek.com"
KEY = "DEEPSEEK_API_KEY"
PRICES = "deepseek"
CHATS = True
DEFAULT_MODEL = "deepseek-flash"
MODELS = ("deepseek-flash", "deepseek-v4-pro")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("deepseek", OFFICIAL, Dialect(KEY, seed=None, logprobs=0, schema=False, extra=_thinking))
available, connect = VENDOR.available, VENDOR.connect
