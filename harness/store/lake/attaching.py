"""DuckDB with a lake attached: the extensions of the extra `team` are loaded by path, nothing is downloaded."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from harness.errors import ConfigError
from harness.ground import open_files
from harness.store.lake.leases import INSTALL
from harness.store.opening import MEMORY
from harness.store.statements import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from harness.store.lake.address import LakeAddress

ALIAS = "store"
EXTENSIONS = ("ducklake", "postgres_scanner")
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
CREDENTIALS = {
    "key_id": "AWS_ACCESS_KEY_ID",
    "secret": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
    "region": "AWS_REGION",
}


def check() -> None:
    """Raise `ConfigError` where the extensions are not there, or are not of this DuckDB."""
    for name in EXTENSIONS:
        extension(name)


def extension(name: str) -> Path:
    """The file of an extension for this very DuckDB."""
    package = find_spec(f"duckdb_extension_{name}")
    if package is None or not package.submodule_search_locations:
        raise ConfigError(f"a store in a lake needs the extra `team`: {INSTALL}")
    folder = Path(next(iter(package.submodule_search_locations))) / "extensions"
    path = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.is_file():
        there = ", ".join(sorted(one.name.removeprefix("v") for one in folder.glob("v*"))) or "none"
        raise ConfigError(
            f"this is duckdb {duckdb.__version__}, and the extension {name} is for {there}: each loads into its own "
            f"version alone; {INSTALL}"
        )
    return path


def attached(address: LakeAddress, data: str, *, read_only: bool) -> DuckDBPyConnection:
    """DuckDB with the lake as its default database."""
    open_files.check_room()
    connection = duckdb.connect(config=CONFIG)
    try:
        attach(connection, address, data, ALIAS, read_only=read_only)
        connection.execute(f"use {ALIAS}")
    except BaseException:
        connection.close()
        raise
    return connection


def attach(connection: DuckDBPyConnection, address: LakeAddress, data: str, alias: str, *, read_only: bool) -> None:
    """Attach the lake under a name."""
    for name in EXTENSIONS if "://" not in data else (*EXTENSIONS, "httpfs"):
        connection.execute(f"load {literal(str(extension(name)))}")
    if data.startswith("s3://"):
        _sign(connection, data)
    options = [f"data_path {literal(data)}"]
    options += ["read_only"] if read_only or address.as_of is not None else []
    options += [f"snapshot_version {address.as_of}"] if address.as_of is not None else []
    connection.execute(f"attach {literal(address.name)} as {alias} ({', '.join(options)})")


def limit(connection: DuckDBPyConnection) -> None:
    """Let a connection that may write files put down what it cannot hold in memory."""
    connection.execute(f"set memory_limit = {literal(MEMORY)}")


def seal(connection: DuckDBPyConnection, data: str) -> None:
    """Cut a connection off from every file but the lake's; nothing can be set or loaded any more."""
    connection.execute(f"set allowed_directories = [{literal(data)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _sign(connection: DuckDBPyConnection, data: str) -> None:
    """Let DuckDB use the credentials of the environment; without them it uses the secrets that it keeps itself."""
    given = {name: os.environ[variable] for name, variable in CREDENTIALS.items() if os.environ.get(variable)}
    if "key_id" not in given or "secret" not in given:
        return
    parts = [f"{name} {literal(value)}" for name, value in given.items()]
    address = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if address:
        protocol, _, host = address.partition("://")
        is_secure = "true" if protocol == "https" else "false"
        parts += [f"endpoint {literal(host)}", f"use_ssl {is_secure}", "url_style 'path'"]
    bucket = data.removeprefix("s3://").partition("/")[0]
    try:
        connection.execute(
            f"create or replace temporary secret harness (type s3, provider config, {', '.join(parts)}, "
            f"scope {literal(f's3://{bucket}')})"
        )
    except duckdb.Error:
        raise ConfigError("the AWS_ variables of the environment cannot be used as a secret of S3") from None
