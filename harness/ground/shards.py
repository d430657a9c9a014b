"""A share of a run's items, of so many that cover them: which items are in it, and how a run says so. Pure.

An item's shard is decided by its id alone (`ids.shard_of`), so that machines agree without talking to each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.ground.ids import shard_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.types import JSON

MARK = "shard"
"""Under this name the parameters of a run say that it is a shard, and of which run."""

MOST = 100_000
FORM = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `part` of `of`, counted from 1."""

    part: int
    of: int

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"

    @property
    def words(self) -> str:
        """`part 3 of 8`."""
        return f"part {self.part} of {self.of}"

    def holds(self, item_id: str) -> bool:
        """Whether the item with this id is in it."""
        return shard_of(item_id, self.of) == self.part


def parse(text: str) -> Shard:
    """The shard that `i/n` means; `ConfigError` unless 1 <= i <= n."""
    form = FORM.fullmatch(text.strip())
    if form is not None:
        shard = Shard(int(form.group(1)), int(form.group(2)))
        if shard.part <= shard.of <= MOST:
            return shard
    raise ConfigError(f"--shard {text!r}: expected i/n with 1 <= i <= n, as 3/8 for the third of eight")


@dataclass(frozen=True, slots=True)
class ShardOf:
    """What a run of a shard says of the run that it is a part of: its id, its set of items, and what that is for."""

    shard: Shard
    run_id: str
    item_set: str
    purpose: str

    def as_params(self) -> dict[str, JSON]:
        """As it stands in the parameters of the run."""
        shard = self.shard
        whole: dict[str, JSON] = {"run_id": self.run_id, "item_set": self.item_set, "purpose": self.purpose}
        return {MARK: {"part": shard.part, "of": shard.of, **whole}}


def shard_in(params: Mapping[str, JSON]) -> ShardOf | None:
    """What a run's parameters say of the run that it is a shard of; None where it is none."""
    told = params.get(MARK)
    if not isinstance(told, dict):
        return None
    try:
        shard = Shard(int(told["part"]), int(told["of"]))
        return ShardOf(shard, *(str(told[name]) for name in ("run_id", "item_set", "purpose")))
    except (KeyError, TypeError, ValueError):
        return None


def without(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """The parameters of the whole run."""
    return {name: value for name, value in params.items() if name != MARK}
