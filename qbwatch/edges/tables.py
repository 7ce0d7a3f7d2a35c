"""The raw tables, made from the datasets' declarations: created when missing, widened when a declaration grew.

Never dropped, and no column's type is changed: dbt's views and people's queries stand on them.
"""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.datasets import Dataset, Kind, datasets
from qbwatch.edges.postgres import driver

_LINEAGE = {
    "_extra": "jsonb NOT NULL DEFAULT '{}'",
    "_file_id": "bigint NOT NULL",
    "_row_number": "integer NOT NULL",
    "_line": "integer NOT NULL",
    "_as_of": "timestamptz NOT NULL",
    "_loaded_at": "timestamptz NOT NULL",
    "_row_hash": "bigint NOT NULL",
}


def raw_columns(dataset: Dataset) -> dict[str, str]:
    """All columns of a dataset's raw table with their SQL types, in order."""
    removed = {"_removed_at": "timestamptz"} if dataset.kind is Kind.LIST else {}
    return {"_key": 'text COLLATE "C" NOT NULL', **dataset.stored, **_LINEAGE, **removed}


def raw_key(dataset: Dataset) -> tuple[str, ...]:
    """Primary key of the raw table: a list has one row per record, a document one per line."""
    return ("_key",) if dataset.kind is Kind.LIST else ("_key", "_line")


def raw_table(dataset: Dataset) -> sql.Identifier:
    """The qualified, quoted name of a dataset's raw table."""
    return sql.Identifier("raw", dataset.table)


def ensure_raw_tables(connection: Connection) -> None:
    """Create the raw tables that are missing and add the columns that are new, in the caller's transaction."""
    cursor = driver(connection).cursor()
    cursor.execute("CREATE SCHEMA IF NOT EXISTS raw")
    cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'raw'")
    existing: dict[str, set[str]] = {}
    for table, column in cursor.fetchall():
        existing.setdefault(table, set()).add(column)
    for dataset in datasets().values():
        if dataset.table not in existing:
            cursor.execute(_create(dataset))
            continue
        for name, kind in raw_columns(dataset).items():
            if name not in existing[dataset.table]:
                add = sql.SQL("ALTER TABLE {} ADD COLUMN {}")
                cursor.execute(add.format(raw_table(dataset), _declared(name, kind)))


def _create(dataset: Dataset) -> sql.Composed:
    columns = [_declared(name, kind) for name, kind in raw_columns(dataset).items()]
    key = sql.SQL(", ").join(sql.Identifier(name) for name in raw_key(dataset))
    return sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
        raw_table(dataset), sql.SQL(", ").join(columns), key
    )


def _declared(name: str, kind: str) -> sql.Composed:
    return sql.Identifier(name) + sql.SQL(" " + kind)
