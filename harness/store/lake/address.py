"""What a user writes to say which lake is meant: `ducklake:postgres:dbname=lake host=db.example.org`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError
from harness.ground import conninfo

PREFIX = "ducklake:postgres:"
CLOUD = re.compile(r"(s3|gcs|gs|r2)://[^\s/]+(/\S*)?")


@dataclass(frozen=True, slots=True)
class LakeAddress:
    """A lake: `conninfo` is libpq's connection string, without a password.

    `data` is where the rows are kept, a folder or `s3://bucket/prefix`; it is wanted when the lake is made, and the
    catalogue knows it from then on. `as_of` is the number of the snapshot to read, None for the newest.
    """

    conninfo: str
    data: str | None = None
    as_of: int | None = None

    @property
    def name(self) -> str:
        """What a user writes."""
        return f"{PREFIX}{self.conninfo}"


def is_lake(db: object) -> bool:
    """Whether a value of `--db` or of the setting is the address of a lake and not a path."""
    return isinstance(db, str) and db.startswith("ducklake:")


def parsed(db: str, data: str | None = None, root: Path | None = None, as_of: int | None = None) -> LakeAddress:
    """The address of a lake; a folder of `data` is one below `root`. `ConfigError` where it cannot be one."""
    if not db.startswith(PREFIX):
        raise ConfigError(f"db: a lake has its catalogue in PostgreSQL; expected '{PREFIX}dbname=...'")
    return LakeAddress(conninfo.checked(db.removeprefix(PREFIX), "db"), _data(data, root), as_of)


def _data(data: str | None, root: Path | None) -> str | None:
    if data is None:
        return None
    if "://" in data:
        if not CLOUD.fullmatch(data):
            raise ConfigError(f"db_data: found {data!r}; expected a folder, or as in 's3://bucket/harness'")
        return data.rstrip("/") + "/"
    return str(((root or Path.cwd()) / data).resolve()) + "/"
