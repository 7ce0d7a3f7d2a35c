"""What of a dbt project is in the database. dbt's results say what was built once; only the catalog says what is there.

Anybody may drop a view, restore a dump, or put another database in place, and no result of a build tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from qbwatch.edges.dbt_result import Relation, TransformResult

Version = tuple[Any, ...]

# A view that is dropped and made anew gets another number; one that is replaced gets its rule from another transaction.
_VERSIONS = """
select wanted.schema, wanted.name, relation.oid, relation.relkind::text, rule.xmin::text
from unnest(%s::text[], %s::text[]) as wanted (schema, name)
join pg_namespace as namespace on namespace.nspname = wanted.schema
join pg_class as relation on relation.relnamespace = namespace.oid and relation.relname = wanted.name
left join pg_rewrite as rule on rule.ev_class = relation.oid and rule.rulename = '_RETURN'"""

# A model whose own build failed lacks its relation for a reason that is known, and stays owed by itself.
_ABSENT = """
SELECT wanted.id
FROM unnest(CAST(:ids AS text[]), CAST(:schemas AS text[]), CAST(:names AS text[])) AS wanted (id, schema, name)
WHERE NOT EXISTS (
        SELECT FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
        WHERE namespace.nspname = wanted.schema AND relation.relname = wanted.name)
    AND coalesce((SELECT status FROM qbwatch.dbt_results WHERE unique_id = wanted.id ORDER BY id DESC LIMIT 1),
                 'success') = 'success'
ORDER BY wanted.id"""

_MADE = ("view", "table", "incremental", "materialized_view", "seed", "snapshot")  # others may make no relation
_PATIENCE = 10  # seconds for the connection


def versions(database_url: str, relations: Iterable[Relation]) -> Mapping[Relation, Version]:
    """Which of the relations are there, each with what changes when it is made anew or replaced; empty when the
    database can't be asked."""
    wanted = {(each.schema, each.name): each for each in relations}
    if not wanted:
        return {}
    columns = [[place[at] for place in wanted] for at in (0, 1)]
    try:
        with psycopg.connect(database_url, connect_timeout=_PATIENCE) as connection:
            rows = connection.execute(_VERSIONS, columns).fetchall()
    except psycopg.Error:
        return {}
    return {wanted[schema, name]: tuple(version) for schema, name, *version in rows}


def absent(connection: Connection, result: TransformResult) -> list[str]:
    """Models of the project that have no relation although nothing is known to be wrong with them, and that the build
    was not about; in the caller's transaction."""
    tried = {node.unique_id for node in result.nodes}
    wanted = {
        name: place for name, place in result.relations.items() if name not in tried and place.materialized in _MADE
    }
    if not wanted:
        return []
    values = {
        "ids": list(wanted),
        "schemas": [place.schema for place in wanted.values()],
        "names": [place.name for place in wanted.values()],
    }
    return list(connection.scalars(text(_ABSENT), values))
