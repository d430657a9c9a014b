"""A model to ask: found by name, connected, and put behind its middleware."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from harness.errors import AuthError, ConfigError, NoKey, meant
from harness.ground import plugins
from harness.ground.workspace import place
from harness.models import pricing
from harness.models.forecast import Rates
from harness.models.middleware.batched import Batched, Terms
from harness.models.middleware.budgeted import Budget, Budgeted
from harness.models.middleware.cached import Books, Cached
from harness.models.middleware.held import Held
from harness.models.middleware.limited import Limited
from harness.models.middleware.paced import Paced
from harness.models.middleware.retrying import Patience, Retrying
from harness.models.pricing import Tariff
from harness.types import Model, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from harness.ground.clock import Clock
    from harness.ground.workspace import Preferences, Workspace
    from harness.models.ledger import Ledger, Spent
    from harness.models.middleware.limited import Change
    from harness.types import JSON, Connection, Provider, Response


@dataclass(frozen=True, slots=True)
class Asking:
    """How a prompt's model is asked: which, where, how many at once, how fast, for how much, which draw.

    `batch` asks through the provider's batch API; `tell` hears how the batches stand. `priced_as` names the model
    whose list price this one has (`VENDOR/MODEL`), for gateways and servers of one's own. What `sends_nothing`, a
    forecast, needs no key. `spent_on` names what is asked for beside the runs on the dataset, which has a budget of
    its own; `account` is one that several prompts and models share.
    """

    model: str = "auto"
    base_url: str | None = None
    workers: int = 16
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout_s: float = 60.0
    deadline_s: float = 120.0
    budget_usd: float | None = None
    repeat: int = 0
    fresh: bool = False
    batch: bool = False
    priced_as: str | None = None
    sends_nothing: bool = False
    spent_on: str = ""
    account: str = ""
    tell: Callable[[str], None] = lambda _: None

    @classmethod
    def of(cls, preferences: Preferences, **chosen: Any) -> Asking:  # noqa: ANN401  (the fields of this class)
        """As a workspace's preferences say, but for what was chosen; what is None was not."""
        preferred: dict[str, Any] = {
            "model": preferences.model,
            "workers": preferences.concurrency,
            "requests_per_minute": preferences.requests_per_minute,
            "tokens_per_minute": preferences.tokens_per_minute,
            "timeout_s": preferences.timeout_s,
            "deadline_s": preferences.deadline_s,
            "budget_usd": preferences.budget_usd,
        }
        return cls(**preferred | {name: value for name, value in chosen.items() if value is not None})


def connect(asking: Asking, extensions: Path | None = None) -> tuple[Connection, ModuleType]:
    """The connection that is asked for, and the provider file that made it, ours or one of a workspace's own."""
    name, base_url = resolve_model(asking.model, asking.base_url, extensions)
    provider_name, _, model_name = name.partition("/")
    module = plugins.load("providers", provider_name, extensions)
    options: dict[str, object] = {"base_url": base_url}
    if "timeout_s" in inspect.signature(module.connect).parameters:
        options["timeout_s"] = asking.timeout_s
    try:
        return module.connect(model_name, **options), module
    except NoKey as missing:
        if not asking.sends_nothing:
            raise
        return _Unconnected(Model(provider_name, model_name, missing.endpoint), module), module


class _Unconnected:
    """A model whose key is missing, for forecasts: known by its name, and asked by nobody."""

    def __init__(self, model: Model, module: ModuleType) -> None:
        self.model = model
        self.batches = (lambda: self) if getattr(module, "BATCHES", False) else None

    async def send(self, request: Request) -> Response:
        """Nothing is sent."""
        raise AuthError(f"{request.model} is not connected; a forecast sends nothing")

    async def close(self) -> None:
        """There is nothing to let go of."""


def resolve_model(name: str, base_url: str | None = None, extensions: Path | None = None) -> tuple[str, str | None]:
    """`provider/model` for what the user wrote, and the server's address if it is not the provider's own.

    `auto` is the first that works here: a configured key, a server on loopback, the local weights.
    """
    if name == "auto":
        if base_url is not None:
            raise ConfigError("--base-url needs --model PROVIDER/MODEL: which model does that server serve?")
        return _first_that_works()
    providers = plugins.names("providers", extensions)
    if "/" not in name or name.partition("/")[0] not in providers:
        known = ", ".join(f"{p}/..." for p in providers)
        vendor, slash, model = name.partition("/")
        near = meant(vendor, providers).replace("'?", f"/{model or 'MODEL'}'?")
        hint = near if slash or vendor in providers else meant(vendor, ["auto"])
        raise ConfigError(f"unknown model {name!r}; expected auto or PROVIDER/MODEL, one of {known}{hint}")
    return name, base_url


def _first_that_works() -> tuple[str, str | None]:
    unset = []
    for provider in _vendors():
        module = plugins.load("providers", provider)
        missing = module.available()
        if missing is None:
            return f"{provider}/{module.DEFAULT_MODEL}", None
        unset.append(f"{provider}: {missing}")
    served = plugins.load("providers", "openai").served_on_loopback()
    if served is not None:
        address, model = served
        return f"openai/{model}", address
    local = plugins.load("providers", "local")
    reason = local.available()
    if reason is None:
        return f"local/{local.DEFAULT_MODEL}", None
    raise ConfigError(f"no model can be called here ({'; '.join(unset)}; local: {reason})")


def _vendors() -> list[str]:
    """Our providers whose chat models any prompt can be asked of: OpenAI and Anthropic, then the others by name."""
    return sorted(_declaring("CHATS"), key=lambda name: (name != "openai", name != "anthropic", name))


def _declaring(constant: str) -> list[str]:
    """Our providers whose file says that something holds of them."""
    return [name for name in plugins.names("providers") if plugins.constants("providers", name).get(constant)]


def tariff(module: ModuleType, connection: Connection, workspace: Workspace, asking: Asking, clock: Clock) -> Tariff:
    """What the calls of a connection cost in this workspace."""
    now = clock.now()
    own = pricing.rates(workspace.preferences.prices, place(), now)
    return Tariff(
        connection.model,
        own,
        workspace.preferences.cpu_usd_per_hour if getattr(module, "RUNS_HERE", False) else None,
        None if asking.priced_as is None else pricing.named(asking.priced_as, now),
        getattr(module, "reported_usd", None),
    )


class Stack:
    """A connection behind its middleware.

    A hit in the ledger skips everything; every retry passes the budget and the limits again.
    """

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        clock: Clock,
        tariff: Tariff,
        account: str,
        asking: Asking,
    ) -> None:
        self.model = connection.model
        self.budget_usd = None if tariff.cpu_usd_per_hour is not None else asking.budget_usd
        self._connection, self._ledger, self._clock = connection, ledger, clock
        self._tariff, self._account, self._asking = tariff, account, asking
        self._history: Sequence[Change] = ()
        # A recipe is found by its path, and known by its name.
        self.asked_as = str(connection.model) if asking.model == "auto" else asking.model
        if self.budget_usd is not None and asking.batch and self.unpriced is not None:
            raise ConfigError(f"--budget needs a price for {connection.model}: {self.unpriced}")
        if self.budget_usd is not None:
            self.worst_nano(Request(connection.model, ()))  # no price: said before anything is sent
        self._batched = self._in_batches() if asking.batch else None
        self.provider: Provider = self._batched or self._one_by_one()

    @property
    def workers(self) -> int:
        """The most calls at once."""
        return self._asking.workers

    @property
    def ask_ahead(self) -> Callable[[Sequence[Request]], Awaitable[None]] | None:
        """Asks many requests at once, where that is how this model is asked."""
        return None if self._batched is None else self._batched.ask_all

    def _one_by_one(self) -> Provider:
        asking, clock = self._asking, self._clock
        provider: Provider = Held(self._connection, self._ledger, clock)
        if asking.requests_per_minute or asking.tokens_per_minute:
            provider = Paced(provider, clock, asking.requests_per_minute, asking.tokens_per_minute)
        limited = Limited(provider, clock, most=asking.workers)
        self._history, provider = limited.history, limited
        # Without a budget too: what may have been billed counts for the next run, which may have one.
        if self._tariff.worst_nano(Request(self.model, ()), clock.now()):
            budget = Budget(self._account, self._budget_nano, asking.deadline_s)
            provider = Budgeted(provider, self._ledger, clock, budget, self.worst_nano)
        provider = Retrying(provider, clock, Random(asking.repeat), Patience(deadline_s=asking.deadline_s))
        books = Books(self._account, pricing.table_name(), self._billed_nano, asking.deadline_s)
        return Cached(provider, self._ledger, clock, books, fresh=asking.fresh)

    def _in_batches(self) -> Batched:
        offered = getattr(self._connection, "batches", None)
        api = None if offered is None else offered()
        if api is None:
            having = [
                name for name in plugins.names("providers") if plugins.constants("providers", name).get("BATCHES")
            ]
            known = " and ".join(", ".join(f"{name}/" for name in part) for part in (having[:-1], having[-1:]))
            raise ConfigError(f"--batch: {self.model.provider}/ has no batch API; {known} have one")
        if self._asking.fresh:
            raise ConfigError("--batch serves what the ledger has and --fresh does not; leave one of them out")
        terms = Terms(
            self._account,
            pricing.table_name(),
            lambda request: self._tariff.worst_nano(request, self._clock.now(), batch=True),
            self._billed_nano,
            self._budget_nano,
        )
        return Batched(api, self._ledger, self._clock, terms, self._asking.tell)

    @property
    def _budget_nano(self) -> int | None:
        return None if self.budget_usd is None else round(self.budget_usd * pricing.NANO)

    def cost(self, response: Response) -> tuple[int | None, int | None]:
        """A reply's list price and its bill, in nano-dollars, at today's prices."""
        now = self._clock.now()
        listed = self._tariff.list_nano(response, now)
        return listed, self._tariff.billed_nano(response, now) if response.batch else listed

    def _billed_nano(self, response: Response) -> int | None:
        return self.cost(response)[1]

    @property
    def rates(self) -> Rates:
        """What a forecast needs to know of this model; a model without a price has none."""
        return Rates(
            lambda key: self._ledger.get(key) is not None,
            lambda request: self._tariff.worst_nano(request, self._clock.now(), batch=self._asking.batch),
            lambda response: self.cost(replace(response, batch=self._asking.batch))[1],
        )

    @property
    def spent(self) -> Spent:
        """What this prompt with this model has cost on this dataset so far."""
        return self._ledger.spent(self._account)

    def billed_for(self, keys: Sequence[str]) -> int:
        """What these requests were billed on the account, in nano-dollars: in this process or before."""
        return self._ledger.billed(self._account, keys)

    async def close(self) -> None:
        """Let go of the connection's sockets or weights."""
        await self._connection.close()

    def limits(self) -> JSON:
        """The limit of calls at once: when it changed, to what, and why."""
        return [asdict(change) for change in self._history]

    def worst_nano(self, request: Request) -> int:
        """The most that a request can cost; `ConfigError` for a model without a price."""
        worst = self._tariff.worst_nano(request, self._clock.now())
        if worst is None:
            raise ConfigError(f"--budget needs a price for {request.model}: {self.unpriced}")
        return worst

    @property
    def unpriced(self) -> str | None:
        """One line that says why these calls have no price, and how to give them one; None when they have one."""
        return self._tariff.unpriced(self._clock.now(), batch=self._asking.batch)

    @property
    def cost_note(self) -> str | None:
        """What to tell before calls are made whose cost will be unknown; None of models that nobody sells."""
        is_sold = pricing.price_list(self.model.provider) is not None and self._tariff.reported is None
        return self.unpriced if is_sold else None
