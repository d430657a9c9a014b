"""Why a provider gave no answer, and what follows from it: one table for statuses, codes and words. Pure.

The same table judges an HTTP error, an error inside a reply of status 200 and a failed line of a batch.
docs/paid-answers.md shows it to users; tests hold the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Verdict(StrEnum):
    """What a failure means for the item and for the run."""

    REFUSED = "refused"  # this content is not answered: an outcome, for good
    TOO_FAST = "too fast"  # asked again after a pause
    OUTAGE = "outage"  # may pass
    ACCOUNT = "account"  # no key, no right, no credit: the run stops
    SETUP = "setup"  # every request of this run has it: the run stops
    REJECTED = "rejected"  # this request, for a reason that is not known


LONGEST_MESSAGE = 300
# A gateway has waited in vain for the model, which may have answered, and been billed, all the same.
WAITED_IN_VAIN = (504, 524, 598, 599)
LONGEST_PAUSE_S = 86_400.0
NO_CREDIT = {
    "insufficient_quota",
    "insufficient_credits",
    "insufficient_balance",
    "billing_error",
    "billing_not_active",
    "billing_hard_limit_reached",
    "payment_required",
    "account_deactivated",
}
CONTENT = {
    "content_filter",
    "content_filtered",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "data_inspection_failed",
    "moderation_blocked",
    "invalid_prompt",
}
TOO_LONG = {"context_length_exceeded", "string_above_max_length", "request_too_large", "tokens_limit_reached"}
STATUS_OF = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "invalid_request_error": 400,
    "unsupported_parameter": 400,
    "unsupported_value": 400,
    "unknown_parameter": 400,
}
SETTINGS = (
    "temperature|top_p|max_tokens|max_completion_tokens|seed|stop|stop_sequences|reasoning_effort|response_format|"
    "logprobs|top_logprobs|output_config|thinking|model|questions"
)
SETTING_CODES = {"unsupported_parameter", "unsupported_value", "unknown_parameter", "model_not_found", "invalid_model"}
A_SETTING = re.compile(rf"^(?:{SETTINGS})\b")
NAMES_A_SETTING = re.compile(rf"^(?:{SETTINGS})(?:\.\w+)*:|['\"`](?:{SETTINGS})(?:\.\w+)*['\"`]")
SAYS_NO_CREDIT = re.compile(r"credit balance|insufficient (?:balance|credit)", re.I)
SAYS_CONTENT = re.compile(r"content (?:filter|management policy|policy)|safety system|flagged", re.I)
SAYS_TOO_LONG = re.compile(
    r"prompt is too long|maximum context length|context (?:window|length)|input is too long|too many (?:input )?tokens",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a provider says of a failure: the HTTP status if there was one, and its error object's texts."""

    status: int | None = None
    codes: frozenset[str] = frozenset()
    param: str = ""
    message: str = ""

    @property
    def words(self) -> str:
        """Its words, or else its code, or that there are none; one line."""
        return shortened(self.message or " ".join(sorted(self.codes)) or "no reason given")


def problem_of(body: object, status: int | None) -> Problem:
    """The problem that an error body tells of: OpenAI's, Anthropic's or a gateway's shape, or any text."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(inner, dict):
        return Problem(status, message=inner if isinstance(inner, str) else "")
    deeper = inner.get("innererror")
    named = [inner.get("code"), inner.get("type"), deeper.get("code") if isinstance(deeper, dict) else None]
    codes = frozenset(str(name).lower() for name in named if isinstance(name, str | int) and name is not True)
    metadata = inner.get("metadata")
    if isinstance(metadata, dict) and ("flagged_input" in metadata or "reasons" in metadata):
        codes |= {"moderation_blocked"}
    param = inner.get("param")
    return Problem(
        status if status is not None and status != 200 else _status_of(codes),
        codes,
        param if isinstance(param, str) else "",
        _message(inner),
    )


def judged(problem: Problem) -> Verdict:
    """What follows from a problem."""
    status, codes = problem.status, problem.codes
    if status == 402 or codes & NO_CREDIT or (status in (400, 403) and SAYS_NO_CREDIT.search(problem.message)):
        return Verdict.ACCOUNT
    if status in (None, 400, 403, 413, 422):
        if codes & CONTENT or (status in (400, 403) and SAYS_CONTENT.search(problem.message)):
            return Verdict.REFUSED
        if status == 413 or codes & TOO_LONG or SAYS_TOO_LONG.search(problem.message):
            return Verdict.REFUSED
    return _by_status(problem)


def _message(inner: Mapping[str, object]) -> str:
    said = inner.get("message") or inner.get("detail")
    first = said[0] if isinstance(said, list) and said else said
    if isinstance(first, dict) and isinstance(first.get("loc"), list):  # a list of fields and what is wrong with them
        return f"{'.'.join(str(part) for part in first['loc'][1:])}: {first.get('msg')}"
    return first if isinstance(first, str) else ""


def _by_status(problem: Problem) -> Verdict:
    status = problem.status
    if status == 429:
        return Verdict.TOO_FAST
    if status in (401, 403):
        return Verdict.ACCOUNT
    if status in (400, 422):
        return Verdict.SETUP if _names_a_setting(problem) else Verdict.REJECTED
    if status is None or status in (408, 409, 425) or not 300 <= status < 500:
        return Verdict.OUTAGE
    # A redirect, a path or a model that is not there, a method that is not taken: the same for every request.
    return Verdict.SETUP if status < 400 or status in (404, 405, 410, 421, 426) else Verdict.REJECTED


def _names_a_setting(problem: Problem) -> bool:
    return bool(
        problem.codes & SETTING_CODES
        or A_SETTING.match(problem.param)
        or (not problem.param and NAMES_A_SETTING.search(problem.message))
    )


def _status_of(codes: frozenset[str]) -> int | None:
    for code in sorted(codes):
        if code in STATUS_OF:
            return STATUS_OF[code]
        if code.isascii() and code.isdigit() and 400 <= int(code[:4]) <= 599:
            return int(code[:4])
    return None


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause that a server asks for, in seconds, at most a day: `retry-after-ms`, seconds, or a date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    value = headers.get("retry-after")
    seconds = _number(value) if milliseconds is None else milliseconds / 1000
    if seconds is None:
        try:
            date = parsedate_to_datetime(value or "")
            seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, OverflowError, TypeError, IndexError):
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE_S)


def shortened(text: str) -> str:
    """The text on one line of at most `LONGEST_MESSAGE` characters."""
    line = " ".join(text[: 20 * LONGEST_MESSAGE].split())
    return line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + "..."


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return None if number is None or number != number else number  # noqa: PLR0124  (NaN)
