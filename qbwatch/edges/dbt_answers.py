"""Questions to the ledger about dbt: the newest word on each node, and the rows that break a rule."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json, moment
from qbwatch.core.model import QbwatchError
from qbwatch.edges.status_queries import NEWEST_WORDS

_ROWS = 50  # of those that break a rule; the table has all

_NODES = f"""
WITH RECURSIVE {NEWEST_WORDS}
SELECT unique_id, name, resource_type, status, seconds, rows, message, found_in, finished_at, run_id
FROM word WHERE resource_type IN ('model', 'snapshot', 'seed', 'test', 'unit_test') ORDER BY unique_id"""

_FOUND_IN = """
SELECT found_in FROM qbwatch.dbt_results WHERE unique_id = :node AND found_in IS NOT NULL ORDER BY id DESC LIMIT 1"""


def newest_nodes(connection: Connection) -> list[Json]:
    """The newest word of dbt on each model and test, models first."""
    found = [dict(row) for row in connection.execute(text(_NODES)).mappings()]
    found.sort(key=lambda node: (node["resource_type"] not in ("model", "snapshot", "seed"), node["name"]))
    return [node | {"seconds": round(node["seconds"], 3), "finished_at": moment(node["finished_at"])} for node in found]


def failing_rows(connection: Connection, unique_id: str) -> Json:
    """The first rows that break the rule of a test, as text. Raises `QbwatchError` when none were kept."""
    found_in = connection.scalar(text(_FOUND_IN), {"node": unique_id})
    # As Postgres itself spells the table: what is put into the query can then be nothing else.
    table = connection.scalar(text("SELECT CAST(to_regclass(:name) AS text)"), {"name": found_in or ""})
    if found_in is None or table is None:
        raise QbwatchError("no rows of this test are kept", "qbwatch test keeps those that break a rule")
    rows: Any = connection.exec_driver_sql(f"SELECT * FROM {table} LIMIT {_ROWS}")  # a name may hold ":"
    return {
        "found_in": found_in,
        "columns": list(rows.keys()),
        "rows": [[None if value is None else str(value) for value in row] for row in rows],
    }
