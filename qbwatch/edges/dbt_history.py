"""What dbt said of each node, command by command, as the ledger keeps it: for ``runs ID``, the status, and the question
what was ever built.

Kept for `KEPT_FOR` and up to `KEPT_ROWS`, whichever is less; beyond that only the newest word on each node, and its
newest success.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from qbwatch.edges.dbt import NodeResult, TransformResult

KEPT_FOR = timedelta(days=90)
KEPT_ROWS = 100_000


def was_built(connection: Connection) -> bool:
    """Whether dbt ever built a model, so that others find what they stand on."""
    query = "SELECT EXISTS (SELECT FROM qbwatch.dbt_results WHERE resource_type = 'model' AND status = 'success')"
    return bool(connection.scalar(text(query)))


def never_built(connection: Connection, models: Sequence[str]) -> list[str]:
    """Those of the models (by dbt's unique ids) that no build ever reported as built."""
    query = """SELECT name FROM unnest(CAST(:models AS text[])) AS model (name) WHERE NOT EXISTS (
                   SELECT FROM qbwatch.dbt_results WHERE unique_id = model.name AND status = 'success')"""
    return list(connection.scalars(text(query), {"models": list(models)}))


def record_nodes(connection: Connection, run_id: int | None, result: TransformResult, at: datetime) -> None:
    """What dbt said of each node of a command, in the caller's transaction. Without a run, a person asked for it."""
    query = """INSERT INTO qbwatch.dbt_results (run_id, invocation_id, unique_id, name, resource_type, status, seconds,
                                                rows, message, found_in, finished_at)
               VALUES (:run, :invocation, :unique_id, :name, :type, :status, :seconds, :rows, :message, :found_in, :at)
            """
    if result.nodes:
        about = {"run": run_id, "invocation": result.invocation_id, "at": at}
        connection.execute(text(query), [about | _values(node) for node in result.nodes])
        prune(connection, at)


def prune(connection: Connection, at: datetime, kept_rows: int = KEPT_ROWS) -> int:
    """Let go of what is older than is kept; how many rows went."""
    query = """DELETE FROM qbwatch.dbt_results AS old
               WHERE (finished_at < :before OR id <= (SELECT max(id) - :rows FROM qbwatch.dbt_results))
                 AND EXISTS (SELECT FROM qbwatch.dbt_results AS newer
                             WHERE newer.unique_id = old.unique_id AND newer.id > old.id
                               AND (newer.status = 'success' OR old.status <> 'success'))"""
    return connection.execute(text(query), {"before": at - KEPT_FOR, "rows": kept_rows}).rowcount


def _values(node: NodeResult) -> dict[str, object]:
    return {
        "unique_id": node.unique_id,
        "name": node.name,
        "type": node.resource_type,
        "status": node.status,
        "seconds": node.seconds,
        "rows": node.rows,
        "message": node.message,
        "found_in": node.found_in,
    }
