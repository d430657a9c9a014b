"""Somebody else's SQL on a lake: what it may name, by the syntax tree that DuckDB itself makes of it.

A connection to a lake can reach its PostgreSQL, with functions that run any SQL there, and the lake's folder. So a
statement is answered when it is a SELECT over the store's own tables, views and macros.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.store.macros import MACROS
from harness.store.statements import KEYS, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

FUNCTIONS = {head.partition("(")[0] for head in MACROS} | {"range", "generate_series", "unnest", "repeat_row"}
"""What may stand after FROM as a function: the store's macros, and functions that read nothing."""
TABLES = {*KEYS, "scored"}
HIDDEN = {"current_setting", "getvariable", "write_log"}
"""Functions of values that say or change what is no row of the store."""


def check(connection: DuckDBPyConnection, sql: str) -> None:
    """Raise `ConfigError` where a statement names other things than the store's own.

    One that is no SQL passes: the database says better what is wrong with it.
    """
    found = connection.execute(f"select json_serialize_sql({literal(sql)})").fetchone()
    try:
        tree = json.loads(found[0]) if found else {}
    except RecursionError:
        raise ConfigError("SQL: it is nested too deeply; ask for less at once") from None
    if tree.get("error"):
        if "SELECT" in str(tree.get("error_message")):
            raise ConfigError("SQL: on a store in a lake, expected one SELECT (or FROM, WITH, VALUES, DESCRIBE)")
        return
    nodes = list(_nodes(tree))
    tables = TABLES | {name for node in nodes for name in _given(node)}
    for node in nodes:
        _check_node(node, tables)


def _nodes(value: object) -> Iterator[dict[str, object]]:
    """Every object of a tree, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += one.values()
        elif isinstance(one, list):
            left += one


def _given(node: dict[str, object]) -> list[str]:
    """The names that a WITH gives to its queries."""
    entries = node.get("map")
    return [str(one["key"]).lower() for one in entries if "key" in one] if isinstance(entries, list) else []


def _check_node(node: dict[str, object], tables: set[str]) -> None:
    kind = node.get("type")
    name = str(node.get("table_name") or "").strip('"').lower()
    if kind == "BASE_TABLE" and (name not in tables or not _is_ours(node)):
        raise _refusal(str(node.get("table_name")))
    if kind == "SHOW_REF" and name and name not in tables:
        raise _refusal(str(node.get("table_name")))
    if kind == "TABLE_FUNCTION":
        function = node.get("function")
        name = str(function.get("function_name")).lower() if isinstance(function, dict) else ""
        if name not in FUNCTIONS or not (isinstance(function, dict) and _is_ours(function)):
            raise _refusal(name)
    elif str(node.get("function_name") or "").lower() in HIDDEN:
        raise _refusal(str(node.get("function_name")))


def _is_ours(node: dict[str, object]) -> bool:
    """Whether a name is given without a place, or with the store's own."""
    place = node.get("catalog_name") or node.get("catalog") or "", node.get("schema_name") or node.get("schema") or ""
    return place in {("", ""), ("", "main"), ("", "store"), ("store", ""), ("store", "main")}


def _refusal(name: str) -> ConfigError:
    return ConfigError(
        f"SQL: {name!r} is no table, view or macro of the store; on a lake a query may name "
        f"{', '.join(sorted(TABLES))}, and the macros {', '.join(sorted(FUNCTIONS - {'unnest', 'repeat_row'}))}"
    )
