"""What the two official SDKs have in common: their errors, their headers, their numbers."""

from __future__ import annotations

import json
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx2

from harness.errors import AuthError, ProviderError, RateLimited, RequestRejected, TransientError
from harness.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import ModuleType

    import anthropic
    import openai

    from harness.clock import Clock

    Body = Mapping[str, object]

RETRYABLE = (408, 409)
LONGEST_MESSAGE = 300


async def post(client: openai.AsyncOpenAI | anthropic.AsyncAnthropic, path: str, body: Body) -> httpx2.Response:
    """The raw reply to a request, sent by an SDK with its key, headers and errors, but without its models.

    The SDKs check every request and every reply against their types, which took most of a call's
    processor time (docs/decisions.md); a body of plain JSON needs none of it.
    """
    return await client.post(path, body=body, cast_to=httpx2.Response)


def payload(reply: httpx2.Response, provider: str) -> dict[str, object]:
    """The JSON object of a raw reply; a body that is none is an outage, not an answer."""
    try:
        value = json.loads(reply.content)
    except ValueError:
        raise TransientError(
            f"{provider}: the reply is not JSON: {_short(reply.text)!r}", status=200, may_be_billed=True
        ) from None
    if not isinstance(value, dict):
        raise TransientError(
            f"{provider}: the reply is a JSON {type(value).__name__}, not an object", status=200, may_be_billed=True
        )
    return value


def translated(
    error: Exception, sdk: ModuleType, model: str, key_variable: str, hide: Callable[[str], str], clock: Clock
) -> ProviderError:
    """Our error for an SDK's: one line, no key, with status, request id and the pause it asks for."""
    if isinstance(error, sdk.APITimeoutError):
        return TransientError(f"{model}: no answer in time", may_be_billed=not _was_never_sent(error))
    if not isinstance(error, sdk.APIStatusError):
        cause = error.__cause__ or error
        said = hide(f"{model}: connection failed: {type(cause).__name__}: {_short(str(cause))}")
        return TransientError(said, may_be_billed=not _was_never_sent(error))
    status: int = error.status_code
    headers: Mapping[str, str] = error.response.headers
    request_id = headers.get("x-request-id") or headers.get("request-id")
    said = hide(f"{model}: HTTP {status}: {_short(_message(error))}")
    pause_s = retry_after_s(headers, clock.now())
    if status == 429:
        return RateLimited(said, request_id=request_id, retry_after_s=pause_s)
    if status in RETRYABLE or status >= 500:
        return TransientError(said, status=status, request_id=request_id, retry_after_s=pause_s)
    if status in (401, 403):
        return AuthError(f"{said}; check {key_variable}", status=status, request_id=request_id)
    return RequestRejected(said, status=status, request_id=request_id)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause that a server asks for, in seconds: `retry-after-ms`, seconds, or a date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(milliseconds / 1000, 0.0)
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return max(seconds, 0.0)
    try:
        date = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return max(((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds(), 0.0)


def openai_usage(usage: Mapping[str, object], asked: str, said: str) -> Usage:
    """OpenAI's usage in disjoint buckets; `asked` and `said` are what an endpoint calls its two sides.

    The tokens asked include cached ones, the tokens said include reasoning.
    """
    read = number(usage, f"{asked}_tokens_details", "cached_tokens")
    write = number(usage, f"{asked}_tokens_details", "cache_write_tokens")
    reasoning = number(usage, f"{said}_tokens_details", "reasoning_tokens")
    return Usage(
        input_fresh=max(number(usage, f"{asked}_tokens") - read - write, 0),
        cache_read=read,
        cache_write=write,
        output_visible=max(number(usage, f"{said}_tokens") - reasoning, 0),
        reasoning=reasoning,
    )


def number(table: object, *path: str) -> int:
    """The whole number at a path of nested objects; 0 where the path ends early."""
    for name in path:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, int) else 0


def _was_never_sent(error: Exception) -> bool:
    """Whether the connection was not even made; anything later may have reached the server."""
    return isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)


def _message(error: Exception) -> str:
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    said = inner.get("message") if isinstance(inner, dict) else None
    return str(said or getattr(error, "message", "") or error)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + "..."


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
