"""Which tables does a schema have, and of which shape? From the catalog, which shows what may not be read as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, text

from qbwatch.core.comparison import Shape
from qbwatch.core.model import QbwatchError
from qbwatch.edges import dbt_history

_LAYERS = ("staging", "intermediate", "mart")
_COLUMNS = """
SELECT relation.relname AS name, array_agg(column_.attname::text ORDER BY column_.attnum) AS columns,
       array_agg(format_type(column_.atttypid, NULL) ORDER BY column_.attnum) AS types
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
JOIN pg_attribute AS column_ ON column_.attrelid = relation.oid AND column_.attnum > 0 AND NOT column_.attisdropped
WHERE namespace.nspname = :schema AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY relation.relname ORDER BY 1"""

_UNIQUE = """
SELECT relation.relname AS name,
       array_agg(column_.attname::text ORDER BY array_position(index.indkey::int2[], column_.attnum)) AS columns
FROM pg_index AS index
JOIN pg_class AS relation ON relation.oid = index.indrelid
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
JOIN pg_attribute AS column_ ON column_.attrelid = relation.oid AND column_.attnum = ANY(index.indkey)
WHERE namespace.nspname = :schema AND index.indisunique AND index.indpred IS NULL AND index.indexprs IS NULL
GROUP BY relation.relname, index.indexrelid, index.indisprimary ORDER BY 1, index.indisprimary DESC"""

_UNREADABLE = """
SELECT relation.relname
FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = :schema AND relation.relname = ANY(:names)
  AND NOT (has_schema_privilege(namespace.oid, 'USAGE') AND has_table_privilege(relation.oid, 'SELECT'))
ORDER BY 1 LIMIT 1"""


def shapes(connection: Connection, schema: str) -> Mapping[str, Shape]:
    """Tables and views of a schema by name. Raises `QbwatchError` when there is no such schema."""
    if not connection.scalar(text("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :name)"), {"name": schema}):
        raise QbwatchError(f"there is no schema {schema} in the database", _others(connection))
    unique: dict[str, list[tuple[str, ...]]] = {}
    for row in connection.execute(text(_UNIQUE), {"schema": schema}):
        unique.setdefault(row.name, []).append(tuple(row.columns))
    return {
        row.name: Shape(dict(zip(row.columns, row.types, strict=True)), unique.get(row.name, ()))
        for row in connection.execute(text(_COLUMNS), {"schema": schema})
    }


def _relations_of(connection: Connection, schemas: Sequence[str]) -> list[tuple[str, str]]:
    """Schema and name of every table and view in these schemas, as far as they exist."""
    query = """SELECT namespace.nspname AS schema, relation.relname AS name
               FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
               WHERE namespace.nspname = ANY(:schemas) AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
               ORDER BY 1, 2"""
    return [(row.schema, row.name) for row in connection.execute(text(query), {"schemas": list(schemas)})]


def marts_to_replace(connection: Connection, target_schema: str, project: Path) -> list[str]:
    """Tables and views that dbt's first build would take the place of; none once qbwatch has built."""
    has_ledger = connection.scalar(text("SELECT to_regclass('qbwatch.dbt_results')")) is not None
    if has_ledger and dbt_history.was_built(connection):
        return []
    models = {path.stem for path in (project / "models").rglob("*.sql")}
    found = _relations_of(connection, [f"{target_schema}_{layer}" for layer in _LAYERS])
    return [f"{schema}.{name}" for schema, name in found if name in models]


def check_readable(connection: Connection, schema: str, names: list[str]) -> None:
    """Raises `QbwatchError`, with what grants it, where we may not read one of these tables."""
    found = connection.scalar(text(_UNREADABLE), {"schema": schema, "names": names})
    if found is None:
        return
    role = _quoted(str(connection.scalar(text("SELECT current_user"))))
    name = _quoted(schema)
    raise QbwatchError(
        f"role {role} may not read {schema}.{found}",
        f"GRANT USAGE ON SCHEMA {name} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role}",
    )


def _others(connection: Connection) -> str:
    query = """SELECT nspname FROM pg_namespace
               WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'qbwatch') ORDER BY 1"""
    return "it has: " + ", ".join(connection.scalars(text(query)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
