"""One boundary: whatever comes back through an official SDK is made ours here, or becomes one of our errors.

The SDKs send with their keys, headers and errors; their models of requests and replies are not used (checking
every reply against those took most of a call's processor time, see docs/decisions.md). `Wire` gives back plain
JSON objects, and raises a `ProviderError` for everything else that a server can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urljoin

import httpx2

from harness.errors import (
    AuthError,
    ContentRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    SetupRejected,
    TransientError,
)
from harness.ground.clock import SystemClock
from harness.ground.redaction import Redactor, bare_address, credentials
from harness.models.providers import _failures, _shapes, _transport
from harness.models.providers._failures import Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import ModuleType

    import anthropic
    import openai

    from harness.ground.clock import Clock
    from harness.models.providers._shapes import Table
    from harness.types import Model

    AnthropicClient = anthropic.AsyncAnthropic | anthropic.AsyncAnthropicBedrock | anthropic.AsyncAnthropicVertex
    Client = openai.AsyncOpenAI | AnthropicClient
    Read = Callable[[Table, str | None], "T"]

T = TypeVar("T")
MOST_KEPT = 100_000  # characters of a reply that cannot be read
MOST_FILE_BYTES = 1 << 30  # of a batch's results
LONGEST_LINE = _transport.MOST_BYTES
# What the SDKs tell of the system and of Python in headers: nobody asked for it, so it is left out.
ABOUT_THIS_MACHINE = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")
FILE_TIMEOUT_S = 900.0


def options(sdk: ModuleType, address: str, timeout_s: float, most_bytes: int = _transport.MOST_BYTES) -> dict[str, Any]:
    """What every client of an SDK is made with. A user and a password in the address take the key's place."""
    bare, basic = credentials(address)
    headers: dict[str, Any] = {f"X-Stainless-{name}": sdk.Omit() for name in ABOUT_THIS_MACHINE}
    if basic:
        headers["Authorization"] = basic
    return {
        "base_url": bare or None,
        "timeout": _transport.timeouts(timeout_s),
        "max_retries": 0,
        "default_headers": headers,
        "http_client": _transport.bounded(sdk.DefaultAioHttpClient, timeout_s, most_bytes),
    }


class RawReply(Protocol):
    """An SDK's wrapper of a reply that it has not looked into."""

    @property
    def http_response(self) -> httpx2.Response:
        """The reply."""
        ...


class Wire:
    """A connection to a model's provider through an SDK's client. `secrets` are kept out of every message."""

    def __init__(
        self, sdk: ModuleType, client: Client, model: Model, key_variable: str, secrets: tuple[str, ...]
    ) -> None:
        self.client = client
        self.clock: Clock = SystemClock()
        self.hide = Redactor(secrets)
        self._sdk, self._model, self._key_variable = sdk, model, key_variable

    async def ask(self, path: str, body: Mapping[str, object], read: Read[T]) -> tuple[T, float]:
        """What `read` makes of the reply (an object, with the request's id), and the seconds it took."""
        start_s = self.clock.monotonic()
        reply = await self._exchange(self.client.post(path, body=body, cast_to=httpx2.Response))
        return self._read(reply, read), self.clock.monotonic() - start_s

    async def get(self, path: str) -> Table:
        """The object at a path."""
        return self._read(await self._exchange(self.client.get(path, cast_to=httpx2.Response)), _as_it_is)

    async def post(self, path: str, body: Mapping[str, object]) -> Table:
        """The object that comes of a post."""
        return (await self.ask(path, body, _as_it_is))[0]

    async def sent(self, sending: Awaitable[RawReply]) -> Table:
        """The object that comes of a call which the SDK itself puts together, asked for its raw reply."""
        return self._read((await self._exchange(sending)).http_response, _as_it_is)

    async def listed(self, path: str, at_once: int, cursor: str, most_pages: int) -> AsyncIterator[Table]:
        """The objects of a list that comes in pages, each page asked for behind the last object before."""
        after = ""
        for _ in range(most_pages):
            page = await self.get(f"{path}?limit={at_once}" + (f"&{cursor}={after}" if after else ""))
            entries = page.get("data")
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict):
                    yield entry
                    after = _shapes.name_of(entry.get("id"), "")
            if page.get("has_more") is not True or not entries or not after:
                return

    def named(self, made: Table, what: str) -> str:
        """The id of an object, made to be part of a path; an outage where it has none."""
        name = _shapes.name_of(made.get("id"), "")
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise self.unreadable(f"{what} has no id", str(made), None)
        return name

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """A file's lines, one after the other; a line that is too long is cut."""
        response = await self._exchange(self.client.get(path, cast_to=httpx2.Response, stream=True))
        rest = b""
        try:
            async for piece in _transport.pieces(response, MOST_FILE_BYTES, FILE_TIMEOUT_S):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line
                rest = rest[:LONGEST_LINE]
        except httpx2.RequestError as error:
            raise self._broken(error) from None
        finally:
            await response.aclose()
        yield rest

    def in_batch(self, line: bytes, read: Callable[[Table], T]) -> T | ProviderError:
        """What `read` makes of a line of a batch's results, or why there is no answer in it."""
        try:
            return self._believed(line, read, None)
        except ProviderError as error:
            return error

    def refused_in_batch(self, body: object, status: int | None) -> ProviderError:
        """The error for a request of a batch that got an error instead of an answer."""
        return self._failure(_failures.problem_of(body, status), "batch: ", None)

    def unreadable(self, what: str, text: str, request_id: str | None) -> TransientError:
        """The error for a reply that came and cannot be read: perhaps it was billed, so it is kept."""
        said = f"{self._model}: {what}: {_failures.shortened(text)!r}"
        error = TransientError(self.hide(said), status=200, request_id=request_id, may_be_billed=True)
        error.reply = self._kept(text)
        return error

    def _kept(self, text: str) -> str:
        whole = len(text) <= MOST_KEPT
        return self.hide(text if whole else f"{text[:MOST_KEPT]} [cut: it had {len(text):,} characters]")

    async def _exchange(self, sending: Awaitable[T]) -> T:
        try:
            return await sending
        except self._sdk.APIStatusError as error:
            raise self._refused(error.response) from None
        except self._sdk.APIError as error:
            raise self._broken(error.__cause__ or error) from None

    def _read(self, reply: httpx2.Response, read: Read[T]) -> T:
        request_id = _request_id(reply.headers)
        return self._believed(reply.content, lambda payload: read(payload, request_id), request_id)

    def _believed(self, content: bytes, read: Callable[[Table], T], request_id: str | None) -> T:
        try:
            payload = _shapes.table_of(content)
            self.refuse_errors(payload, request_id)
            return read(payload)
        except _shapes.UnreadableError as error:
            raise self.unreadable(str(error), content.decode("utf-8", "replace"), request_id) from None
        except ProviderError as error:
            error.reply = self._kept(content.decode("utf-8", "replace"))
            raise

    def refuse_errors(self, payload: Table, request_id: str | None) -> None:
        """Raise for an error inside a reply of status 200, whole or of its first choice."""
        choices = payload.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        if payload.get("error") or payload.get("type") == "error":
            problem = _failures.problem_of(payload, None)
        elif choice.get("error") or choice.get("finish_reason") == "error":
            problem = _failures.problem_of(choice.get("error") or {}, None)
        else:
            return
        error = self._failure(problem, "an error inside the reply: ", request_id)
        # One with a status of its own is the gateway's; any other may have come after tokens were made.
        error.may_be_billed |= error.retryable and (problem.status is None or bool(choice))
        raise error

    def _refused(self, response: httpx2.Response) -> ProviderError:
        try:
            body: object = _shapes.table_of(response.content)
        except _shapes.UnreadableError:
            body = response.content[: _failures.LONGEST_MESSAGE * 4].decode("utf-8", "replace")
        problem = _failures.problem_of(body, response.status_code)
        made = self._failure(problem, f"HTTP {response.status_code}: ", _request_id(response.headers))
        if isinstance(made, RateLimited | TransientError):
            made.retry_after_s = _failures.retry_after_s(response.headers, self.clock.now())
        if response.is_redirect and isinstance(made, SetupRejected):
            address = _failures.shortened(_redirected_to(response))
            said = f"{self._model}: HTTP {response.status_code}: the address redirects to {address or 'nowhere'}"
            return SetupRejected(self.hide(f"{said}; nothing was sent there; to ask there, give it as --base-url"))
        return made

    def _broken(self, cause: BaseException) -> ProviderError:
        may_be_billed = not _transport.was_never_sent(cause)
        if isinstance(cause, _transport.TooLargeError):
            return self.unreadable(str(cause), cause.begun.decode("utf-8", "replace"), None)
        if isinstance(cause, httpx2.TimeoutException):
            return TransientError(f"{self._model}: no answer in time", may_be_billed=may_be_billed)
        name = "cannot connect" if not may_be_billed else "the connection broke"
        reason = _transport.refusal(cause) or _failures.shortened(str(cause) or type(cause).__name__)
        said = f"{self._model}: {name}: {reason}"
        return TransientError(self.hide(said), may_be_billed=may_be_billed)

    def _failure(self, problem: _failures.Problem, where: str, request_id: str | None) -> ProviderError:
        """Our error for a provider's: one line, no key, and what to do where the user can do something."""
        verdict = _failures.judged(problem)
        kind, advice = _ERRORS[verdict]
        if verdict is Verdict.ACCOUNT:
            advice = f"; check {self._key_variable}" if problem.status in (401, 403) else "; add credit to the account"
        said = self.hide(f"{self._model}: {where}{problem.words}{advice}")
        error = kind(said, status=problem.status, request_id=request_id)
        error.may_be_billed = problem.status in _failures.WAITED_IN_VAIN
        return error


_ERRORS: dict[Verdict, tuple[type[ProviderError], str]] = {
    Verdict.REFUSED: (ContentRefused, ""),
    Verdict.TOO_FAST: (RateLimited, ""),
    Verdict.OUTAGE: (TransientError, ""),
    Verdict.ACCOUNT: (AuthError, ""),
    Verdict.SETUP: (
        SetupRejected,
        "; every request would be: check --model, --base-url and the settings in the prompt's front matter",
    ),
    Verdict.REJECTED: (RequestRejected, ""),
}


def _redirected_to(response: httpx2.Response) -> str:
    location = response.headers.get("location", "")
    try:
        return bare_address(urljoin(str(response.request.url), location)) if location else ""
    except ValueError:  # an address that is none
        return ""


def _as_it_is(payload: Table, _request_id: str | None) -> Table:
    return payload


def _request_id(headers: Mapping[str, str]) -> str | None:
    return _shapes.name_of(headers.get("x-request-id") or headers.get("request-id"), "") or None
