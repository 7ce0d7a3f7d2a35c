"""The raw tables, made from the datasets' declarations: created when missing, widened when a declaration grew.

Never dropped, and no column's type is changed: dbt's views and people's queries stand on them. Which schema they lie in
is a setting, so that qbwatch can run beside an older pipeline that fills a schema ``raw`` of its own. A table of the
right name that isn't qbwatch's is left as it is, and said: to widen it would break whoever made it.
"""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection, text

from qbwatch.core.model import QbwatchError
from qbwatch.datasets import Dataset, Kind, datasets
from qbwatch.edges.postgres import driver
from qbwatch.edges.raw_names import raw_table

# What stands behind a column is found the later the more columns stand before it, of which some exports have ninety. So
# the key stands first, which the index is made of row by row (a quarter of what Postgres does in a load), and beside it
# what has one width and joins read.
_BEFORE = {
    "_key": 'text COLLATE "C" NOT NULL',
    "_line": "integer NOT NULL",
    "_row_hash": "bigint NOT NULL",
    "_file_id": "bigint NOT NULL",
    "_row_number": "integer NOT NULL",
    "_as_of": "timestamptz NOT NULL",
    "_loaded_at": "timestamptz NOT NULL",
}
_BEHIND = {"_extra": "jsonb NOT NULL DEFAULT '{}'"}


PRICES = "quickbooks_item_prices"
"""The one table beside those of the datasets (`edges.item_prices`)."""

# By these a table is known as qbwatch's: whatever version made it, it had them from its first day.
_MARKS = {"_key", "_file_id", "_as_of", "_row_hash"}
_MARKS_OF_PRICES = {"_key", "_as_of", "_file_id"}


class ForeignTables(QbwatchError):
    """The schema of the raw tables holds tables of their names that somebody else made."""

    is_configuration = True

    def __init__(self, schema: str, names: list[str]) -> None:
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        super().__init__(
            f"{schema}.{names[0]}{others} exists and isn't qbwatch's: it would have to be overwritten",
            f'set raw_schema in [database] to a name of its own, such as "{schema}_qbwatch", to run beside whoever '
            f"fills it; or move the old tables away: ALTER SCHEMA {schema} RENAME TO {schema}_old",
        )


def raw_columns(dataset: Dataset) -> dict[str, str]:
    """All columns of a dataset's raw table with their SQL types, in the order of a new one."""
    removed = {"_removed_at": "timestamptz"} if dataset.kind is Kind.LIST else {}
    return {**_BEFORE, **dataset.stored, **_BEHIND, **removed}


def raw_key(dataset: Dataset) -> tuple[str, ...]:
    """Primary key of the raw table: a list has one row per record, a document one per line."""
    return ("_key",) if dataset.kind is Kind.LIST else ("_key", "_line")


def columns_and_key(dataset: Dataset) -> sql.Composed:
    """What stands between the parentheses of a table of the dataset's shape: its columns and its primary key."""
    return sql.SQL("{}, PRIMARY KEY ({})").format(
        declared_columns(dataset), sql.SQL(", ").join(map(sql.Identifier, raw_key(dataset)))
    )


def declared_columns(dataset: Dataset) -> sql.Composed:
    """The columns of a table of the dataset's shape, as a CREATE TABLE lists them."""
    return sql.SQL(", ").join(_declared(name, kind) for name, kind in raw_columns(dataset).items())


def foreign_tables(connection: Connection, schema: str) -> list[str]:
    """Tables and views of the schema that have the names of ours and aren't ours, in the caller's transaction."""
    return _foreign(_existing(connection, schema))


def ensure_raw_tables(connection: Connection, schema: str) -> list[str]:
    """Create the raw tables that are missing and add the columns that are new, in the caller's transaction.

    Returns the full names of the datasets whose table was created: whatever was loaded before is not in it. Raises
    `ForeignTables`.
    """
    existing = _existing(connection, schema)
    if foreign := _foreign(existing):
        raise ForeignTables(schema, foreign)
    cursor = driver(connection).cursor()
    cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    created = []
    for dataset in datasets().values():
        table = raw_table(dataset, schema)
        if dataset.table not in existing:
            cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(table, columns_and_key(dataset)))
            created.append(dataset.full_name)
            continue
        for name, kind in raw_columns(dataset).items():
            if name not in existing[dataset.table]:
                cursor.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(table, _declared(name, kind)))
    return created


def _existing(connection: Connection, schema: str) -> dict[str, set[str]]:
    # Not information_schema, which hides what belongs to others and may not be read.
    query = """SELECT relation.relname AS name, array_remove(array_agg(column_.attname::text), NULL) AS columns
               FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
               LEFT JOIN pg_attribute AS column_ ON column_.attrelid = relation.oid AND column_.attnum > 0
                                                AND NOT column_.attisdropped
               WHERE namespace.nspname = :schema AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
               GROUP BY relation.relname"""
    return {row.name: set(row.columns) for row in connection.execute(text(query), {"schema": schema})}


def _foreign(existing: dict[str, set[str]]) -> list[str]:
    marks = {dataset.table: _MARKS for dataset in datasets().values()} | {PRICES: _MARKS_OF_PRICES}
    return sorted(name for name, wanted in marks.items() if name in existing and not wanted <= existing[name])


def _declared(name: str, kind: str) -> sql.Composed:
    return sql.Identifier(name) + sql.SQL(" " + kind)
