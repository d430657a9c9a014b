"""How a model is asked, as `eval`, `predict` and `recheck` let one choose it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from harness.app.commands import _options
from harness.models import stack

if TYPE_CHECKING:
    from harness.ground.workspace import Preferences

OPTIONS = (
    _options.option("--base-url", default=None, metavar="URL", help="An OpenAI-compatible server."),
    _options.option("--concurrency", type=click.IntRange(1, 4096), default=None, help="Requests at once."),
    _options.option("--rpm", type=click.IntRange(min=1), default=None, help="Most requests per minute."),
    _options.option("--tpm", type=click.IntRange(min=1), default=None, help="Most tokens per minute."),
    _options.option("--budget", type=click.FloatRange(min=0), default=None, metavar="USD", help="Never bill more."),
    _options.priced_as,
)
stored_model = _options.option(
    "--model", default=None, metavar="PROVIDER/MODEL", help="Which, or where its server or file is."
)


@dataclass(frozen=True)
class Asked:
    """What the command line chose of it; without slots, so that a command's options can be this and more."""

    model: str | None
    base_url: str | None
    concurrency: int | None
    rpm: int | None
    tpm: int | None
    budget: float | None
    priced_as: str | None

    def asking(self, preferences: Preferences, **more: Any) -> stack.Asking:  # noqa: ANN401  (the fields of Asking)
        """As the workspace's preferences say, but for what was chosen and `more`; what is told goes to stderr."""
        chosen = {
            "model": self.model,
            "base_url": self.base_url,
            "workers": self.concurrency,
            "requests_per_minute": self.rpm,
            "tokens_per_minute": self.tpm,
            "budget_usd": self.budget,
            "priced_as": self.priced_as,
            "tell": partial(click.echo, err=True),
        }
        return stack.Asking.of(preferences, **chosen | more)
