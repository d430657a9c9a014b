"""The exceptions of the package. Nothing else lives here.

    HarnessError                     exit code 2 unless a subclass says otherwise
    ├── ConfigError(ValueError)      a setting, an option, a prompt, a plan or a name is wrong
    ├── DatasetError(ValueError)     a dataset file is wrong; names file and line
    ├── StoreError                   the store or the ledger cannot be used (newer, damaged)
    │   ├── StoreBusy                another process holds it; resumable, exit code 3
    │   ├── StoreFull                the disk takes no more; resumable, exit code 3
    │   └── StoreGone                what holds it is not there any more; resumable, exit code 3
    ├── BudgetExceeded               the next call could pass the budget; resumable, exit code 3
    ├── MissingAnswers               items have no answer that a test or a gate needs; resumable, exit code 3
    ├── Interrupted                  stopped on request; resumable, exit code 3
    │   └── Overtaken                another process asks the same instead; nothing was sent
    ├── AlarmRaised                  what is served is not what it was; said after the result, exit code 1
    └── ProviderError                a model could not answer one request; resumable, exit code 3
        ├── RateLimited              asked too fast; `retry_after_s` when the server said so
        ├── TransientError           an outage: 5xx, a dropped connection, a time-out
        ├── RequestRejected          this request is rejected (4xx); the run goes on
        │   └── ContentRefused       for what it says or how long it is: the outcome is `refused`, for good
        ├── SetupRejected            every request would be rejected; the run stops, exit code 2
        └── AuthError                no key, no right or no credit; the run stops, exit code 2
            └── NoKey                the variable of the key is not set

Rules for adding one: the message says what was found, what was expected, where, and what to do
next, on one line; it never holds a key; keyword arguments have defaults, so that it pickles.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.types import Attempt


class HarnessError(Exception):
    """Anything the user can be told about in one line. `is_aside`: the result was printed already."""

    exit_code = 2
    is_aside = False


class ConfigError(HarnessError, ValueError):
    """A setting, option, prompt, plan or name is not what it must be."""


class DatasetError(HarnessError, ValueError):
    """A dataset or one of its rows is not what it must be."""


class StoreError(HarnessError):
    """The store or the ledger cannot be read or written."""


class StoreBusy(StoreError):
    """Another process holds the store or the ledger for longer than one waits; resumable."""

    exit_code = 3


class StoreFull(StoreError):
    """The disk does not take what is to be written; what was paid is kept, resumable."""

    exit_code = 3


class StoreGone(StoreError):
    """The server of the store or the ledger does not answer any more, or the file was moved; resumable."""

    exit_code = 3


class BudgetExceeded(HarnessError):
    """The worst case of the next call does not fit into what is left of the budget.

    `may_fit_later`: it would fit if the calls under way cost less than was reserved for them.
    """

    exit_code = 3

    def __init__(self, message: str, *, may_fit_later: bool = False) -> None:
        super().__init__(message)
        self.may_fit_later = may_fit_later


class Interrupted(HarnessError):
    """The run was stopped before its end; everything answered is stored."""

    exit_code = 3


class Overtaken(Interrupted):
    """Another process took over a request before it was sent: nothing was; its answer serves both."""


class AlarmRaised(HarnessError):
    """What is served is not what it was, or not what it promised; the result stands before it."""

    exit_code = 1
    is_aside = True


class MissingAnswers(HarnessError):
    """Items that a verdict, a test or a gate needs have no answer; the same command asks them again."""

    exit_code = 3


def not_read(error: OSError | UnicodeDecodeError) -> str:
    """Why a file that somebody named could not be read as text, in words."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8; save it as UTF-8"
    return "there is no such file" if isinstance(error, FileNotFoundError) else str(error.strerror or error)


class ProviderError(HarnessError):
    """A model did not answer a request. `status` is the HTTP status, if there was one.

    `attempts` lists every try that was made, when retries were exhausted (see `types.Attempt`).
    `may_be_billed`: the request was sent, and nobody can say whether it will be on the bill.
    `reply` is a reply that came and could not be read, as it came.
    """

    exit_code = 3
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        may_be_billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id
        self.may_be_billed = may_be_billed
        self.attempts: tuple[Attempt, ...] = ()
        self.reply: str | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), str(self), dict(self.__dict__))


def _rebuild(cls: type[ProviderError], message: str, state: dict[str, object]) -> ProviderError:
    error = cls(message)
    error.__dict__.update(state)
    return error


class RateLimited(ProviderError):
    """The provider asked for fewer requests; `retry_after_s` is the pause it named, in seconds."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        status: int | None = 429,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.retry_after_s = retry_after_s


class TransientError(ProviderError):
    """An outage that may pass: a 5xx, a dropped connection, a time-out, half a body."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        may_be_billed: bool = False,
    ) -> None:
        super().__init__(message, status=status, request_id=request_id, may_be_billed=may_be_billed)
        self.retry_after_s = retry_after_s


class RequestRejected(ProviderError):
    """The provider rejects this request, and nobody knows whether it would the next one."""


class ContentRefused(RequestRejected):
    """The provider does not answer what this request says, or its length: the outcome is `refused`, for good."""


class SetupRejected(ProviderError):
    """The provider rejects what every request of the run has: model, address, a setting."""

    exit_code = 2


class AuthError(ProviderError):
    """There is no key, the provider does not accept it, or the account has no credit."""

    exit_code = 2


class NoKey(AuthError):
    """A provider's key is not set. `endpoint` is where the model would be asked, empty for the provider's own."""

    def __init__(self, message: str, *, endpoint: str = "") -> None:
        super().__init__(message)
        self.endpoint = endpoint


def one_of(found: str, allowed: Iterable[str]) -> str:
    """The tail of an error message: the allowed values, and the nearest to what was found."""
    names = sorted(allowed)
    shown = ", ".join(repr(name) for name in names[:20]) + (", ..." if len(names) > 20 else "")
    return f"expected one of {shown or '(nothing is there)'}{meant(found, names)}"


def meant(found: str, allowed: Iterable[str]) -> str:
    """The end of an error message: which of the allowed values was probably meant; empty where none is near."""
    by_small = {name.casefold(): name for name in sorted(allowed)}
    near = get_close_matches(found.casefold(), by_small, n=1)
    return f"; did you mean {by_small[near[0]]!r}?" if near else ""
