"""What does an old pipeline say it has loaded? Its JSON file, or the tables in which it kept that. Only reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.model import QbwatchError
from qbwatch.core.old_state import LIST_FIELDS, NAME_FIELDS, names_in
from qbwatch.edges.mart_tables import check_readable, shapes
from qbwatch.edges.postgres import driver

_LARGEST = 256 * 1024 * 1024  # bytes of a JSON file; that of a nightly job of many years has a few hundred thousand
_SHAPES = "a list of names, names with moments or counts, or records with a filename are understood"
_TEXTS = ("text", "character varying", "character")
_JSON = ("json", "jsonb", *_TEXTS)


def names_in_file(path: Path) -> set[str]:
    """The names of files in the old pipeline's JSON. Raises `QbwatchError` when there are none."""
    try:
        if path.stat().st_size > _LARGEST:
            raise QbwatchError(f"{path} is too large for a list of processed files", "name the old pipeline's state")
        names = names_in(json.loads(path.read_text("utf-8-sig")))
    except OSError as error:
        raise QbwatchError(f"{path}: {error.strerror}", "name a file that you may read") from None
    except (ValueError, RecursionError) as error:
        raise QbwatchError(f"{path} is no JSON: {str(error).splitlines()[0]}", _SHAPES) from None
    if not names:
        raise QbwatchError(f"{path} names no export", _SHAPES)
    return names


def names_in_schema(connection: Connection, place: str) -> tuple[set[str], list[str]]:
    """The names of files in the tables of a schema, or in one table (``SCHEMA/TABLE`` or ``SCHEMA.TABLE``), and which
    columns hold them. Raises `QbwatchError` when there are none."""
    schema, _, table = place.replace("/", ".").partition(".")
    known = shapes(connection, schema)
    if table and table not in known:
        raise QbwatchError(f"there is no table {schema}.{table}", "it has: " + ", ".join(sorted(known)))
    columns = [
        (name, column)
        for name, shape in known.items()
        if table in ("", name)
        for column, kind in shape.columns.items()
        if _may_hold_names(column, kind)
    ]
    check_readable(connection, schema, [name for name, _ in columns])
    names: set[str] = set()
    holding = []
    for name, column in columns:
        if found := names_in(list(_values(connection, schema, name, column))):
            names |= found
            holding.append(f"{schema}.{name}.{column}")
    if not names:
        raise QbwatchError(
            f"{place} names no export",
            f"a column that is called {', '.join(sorted(NAME_FIELDS | LIST_FIELDS))} is looked for",
        )
    return names, holding


def _may_hold_names(column: str, kind: str) -> bool:
    folded = column.casefold()
    return (folded in NAME_FIELDS and kind in _TEXTS) or (folded in LIST_FIELDS and kind in (*_JSON, "text[]"))


def _values(connection: Connection, schema: str, table: str, column: str) -> Iterator[Any]:
    """The different values of a column; JSON that stands there as text is read."""
    query = sql.SQL("SELECT DISTINCT {0}::text FROM {1} WHERE {0} IS NOT NULL")
    cursor = driver(connection).cursor()
    cursor.execute(query.format(sql.Identifier(column), sql.Identifier(schema, table)))
    for (value,) in cursor:
        if column.casefold() not in LIST_FIELDS:
            yield value
            continue
        try:
            yield json.loads(value)
        except ValueError:
            yield [each.strip().strip('"') for each in value.strip("{}[]").split(",")]
