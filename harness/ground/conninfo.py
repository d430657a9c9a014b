"""Connection strings of PostgreSQL as people write them: a password in one is refused, and never shown."""

from __future__ import annotations

import re

from harness.errors import ConfigError

PASSWORD = re.compile(
    r"(?:^|[\s'])(?:ssl)?password\s*=|[?&](?:ssl)?password=|^postgres(?:ql)?://[^/@?]*:[^@]*@", re.IGNORECASE
)


def checked(conninfo: str, what: str) -> str:
    """The connection string itself, if it holds no password; `ConfigError` names `what` it was written into."""
    if PASSWORD.search(conninfo):
        raise ConfigError(
            f"{what}: a password stands in the address, where settings, shells and logs keep it; leave it out, and "
            "set PGPASSWORD, or PGPASSFILE to a file of passwords (~/.pgpass), in the environment"
        )
    if not conninfo.strip() or not conninfo.isprintable():
        raise ConfigError(f"{what}: found {conninfo!r}; expected as in 'dbname=lake host=db.example.org user=harness'")
    return conninfo.strip()
