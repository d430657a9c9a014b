"""Which store a project has: what the command line says, else the settings, else the file in the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.store import DatabaseFile
from harness.store.lake import address

if TYPE_CHECKING:
    from harness.ground.workspace import Workspace
    from harness.store import Store
    from harness.store.lake.address import LakeAddress


def chosen(workspace: Workspace, db: Path | str | None, as_of: int | None = None) -> Path | LakeAddress:
    """Where the store is; `ConfigError` for an address that holds a password, or a snapshot of a file."""
    settings, root = workspace.preferences, workspace.root
    wanted = db if db is not None else settings.db
    if address.is_lake(wanted):
        return address.parsed(str(wanted), settings.db_data, root, as_of)
    if as_of is not None:
        raise ConfigError(
            f"--as-of {as_of}: this store is a file, which keeps its newest state alone; a lake keeps snapshots "
            "(docs/team.md), and of a file one keeps a copy: harness store copy"
        )
    if wanted is None:
        return workspace.default_store
    return Path(wanted) if db is not None else root / wanted


def at(workspace: Workspace, db: Path | str, data: str | None = None) -> Path | LakeAddress:
    """The store of that name; `data` is where a lake that is made has its rows, else what the settings say.

    The lake of the settings is meant by their `db_data`, any other has a place of its own.
    """
    if not address.is_lake(db):
        return Path(db)
    settings = workspace.preferences
    is_default = settings.db is None or settings.db == db
    return address.parsed(str(db), data or (settings.db_data if is_default else None), workspace.root)


def folder(store: Store) -> Path | None:
    """The folder of a store that is a file; None for a lake, which has none that is this machine's."""
    return store.database.path.parent if isinstance(store.database, DatabaseFile) else None


def moment(store: Store) -> dict[str, str]:
    """What a page says of the snapshot that it was made of; nothing where the store has none."""
    number = store.snapshot()
    return {} if number is None else {"store": f"snapshot {number} (--as-of {number} reads it again)"}
