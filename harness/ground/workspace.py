"""Where a project lives and how it is set up: `[tool.harness]`, and the folders beside it.

The one place that looks for settings. Secrets are never settings: the SDKs read their own
environment variables.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue

from harness.errors import ConfigError
from harness.ground.constraints import Constraints
from harness.ground.gate_settings import GateSettings
from harness.ground.spread_settings import Spread
from harness.ground.validation import validated

EXTENSIONS = "extensions"
RESULTS = "results"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FILE = "harness.toml"
DEFAULT_ARMS = ("majority", "tfidf-lr", "minilm-knn", "minilm-lr")


@dataclass(frozen=True, slots=True)
class Preferences:
    """`[tool.harness]`: what holds when the command line does not say otherwise.

    `db` is the store, a path or `ducklake:postgres:...`, and `db_data` the folder or bucket of a new lake's rows.
    `cpu_usd_per_hour` prices the arms that run on this machine: what an hour of such a machine costs.
    `encoder` turns texts into vectors (see `encoding`). Of a split with more than `most_items`, reports,
    comparisons and verdicts look at so many, drawn by their ids (see `store.subsample`). `budget_usd` caps what a
    prompt with a model may be billed on a dataset, over all its runs; `requests_per_minute` and `tokens_per_minute`
    are the provider's limits. `timeout_s` is what a single attempt may take, `deadline_s` what an item may take
    with all its attempts and pauses. `ledger` is the address of a PostgreSQL database that keeps paid answers,
    where that is not a file beside the store (see `postgres.address`). `prices` overrides the price table: dollars
    per million tokens by model and bucket. `decide` is what an arm must keep to be served, `gate` what a candidate
    must keep to be deployed, `spread` where work is done that needs no model.
    """

    dataset: str | None = None
    db: str | None = None
    db_data: str | None = None
    task: str | None = None
    model: str = "auto"
    arms: tuple[str, ...] = DEFAULT_ARMS
    cpu_usd_per_hour: Annotated[float, Field(ge=0)] = 0.10
    encoder: str = "minilm"
    most_items: Annotated[int, Field(ge=1000)] = 100_000
    budget_usd: Annotated[float, Field(ge=0)] | None = None
    concurrency: Annotated[int, Field(ge=1)] = 16
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    deadline_s: Annotated[float, Field(gt=0)] = 120.0
    ledger: str | None = None
    prices: Mapping[str, JsonValue] = field(default_factory=dict)
    decide: Constraints = field(default_factory=Constraints)
    gate: GateSettings = field(default_factory=GateSettings)
    spread: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project's root folder and its preferences."""

    root: Path
    preferences: Preferences

    @property
    def results(self) -> Path:
        """The folder of the store, the ledger, reports and figures."""
        return self.root / RESULTS

    @property
    def default_store(self) -> Path:
        """The store that is used when `--db` names no other."""
        return self.results / "harness.duckdb"

    @property
    def extensions(self) -> Path:
        """The folder of the arms, providers and encoders that are this workspace's own; it need not be there."""
        return self.root / EXTENSIONS

    @property
    def embeddings(self) -> Path:
        """The cache of sentence embeddings."""
        return self.results / "embeddings.sqlite"

    @property
    def fitted(self) -> Path:
        """The folder of what classifiers have learnt, a folder each."""
        return self.results / "fitted"


def find(start: Path, root: Path | None = None) -> Workspace:
    """The workspace of a folder: `root` if given, else the nearest folder upwards with settings."""
    if root is not None:
        if not root.is_dir():
            raise ConfigError(f"--root {root}: there is no such folder")
        return Workspace(root.resolve(), _preferences(root) or Preferences())
    for folder in (start, *start.parents):
        preferences = _preferences(folder)
        if preferences is not None:
            return Workspace(folder, preferences)
    return Workspace(start, Preferences())


def checked_name(name: str, what: str) -> str:
    """The name itself, if it can be a file name of ours: no path, no blank, at most 64 characters."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{what} {name!r} cannot be a name; expected letters, digits, dot, underscore and dash, "
            "at most 64, the first a letter or digit"
        )
    return name


def has_settings(folder: Path) -> bool:
    """Whether a folder has settings of ours, in either file."""
    return _preferences(folder) is not None


def place(table: str = "") -> str:
    """Where a person writes the settings of a table, for messages."""
    name = f"[{table}] of " if table else ""
    return f"{name}{FILE} (in pyproject.toml: [tool.harness{'.' if table else ''}{table}])"


def _preferences(folder: Path) -> Preferences | None:
    for path, table in ((folder / FILE, ()), (folder / "pyproject.toml", ("tool", "harness"))):
        if not path.is_file():
            continue
        content: object = _parse(path)
        for key in table:
            content = content.get(key) if isinstance(content, dict) else None
        if isinstance(content, dict):
            where = f"{path}: [tool.harness]" if table else str(path)
            return validated(Preferences, content, where)
    return None


def _parse(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
