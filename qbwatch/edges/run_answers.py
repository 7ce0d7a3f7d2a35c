"""Questions to the ledger about runs: the newest of them, and all that one did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json, moment

_COUNTS = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")
_SUMS = ", ".join(
    f"coalesce(sum(item.rows_{name}) FILTER (WHERE item.state = 'loaded'), 0) AS {name}" for name in _COUNTS
)

_RUNS = f"""
SELECT run.id, run.mode, run.status, run.why, run.step, run.error, run.started_at, run.finished_at,
       count(item.id) FILTER (WHERE item.state = 'loaded') AS files, {_SUMS},
       (SELECT sum(seconds) FROM qbwatch.dbt_results WHERE run_id = run.id) AS dbt_seconds,
       (SELECT count(*) FROM qbwatch.dbt_results WHERE run_id = run.id) AS dbt_nodes
FROM qbwatch.runs AS run LEFT JOIN qbwatch.work_items AS item ON item.run_id = run.id
WHERE CAST(:id AS bigint) IS NULL OR run.id = :id
GROUP BY run.id ORDER BY run.id DESC LIMIT :limit"""

_LOADS = """
SELECT file.name, item.sheet, item.dataset, item.state, item.reason, item.hint, item.loaded_at,
       item.rows_read, item.rows_structural, item.rows_inserted, item.rows_updated, item.rows_unchanged,
       item.rows_removed, item.rows_rejected
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.run_id = :id ORDER BY item.changed_at, item.id"""

_NODES = """
SELECT name, resource_type, status, seconds, rows, message, found_in
FROM qbwatch.dbt_results WHERE run_id = :id ORDER BY id"""


def newest_runs(connection: Connection, limit: int) -> list[Json]:
    """The newest runs, the last one first."""
    return [_run(row) for row in connection.execute(text(_RUNS), {"id": None, "limit": limit}).mappings()]


def whole_run(connection: Connection, run_id: int) -> Json | None:
    """One run with its loads and what dbt said of each node; None when there is no such run.

    An item counts for the run that last had it in hand.
    """
    row = connection.execute(text(_RUNS), {"id": run_id, "limit": 1}).mappings().one_or_none()
    if row is None:
        return None
    loads = [_load(each) for each in connection.execute(text(_LOADS), {"id": run_id}).mappings()]
    nodes = [dict(each) for each in connection.execute(text(_NODES), {"id": run_id}).mappings()]
    return _run(row) | {"loads": loads, "nodes": [node | {"seconds": round(node["seconds"], 3)} for node in nodes]}


def _run(row: Any) -> Json:
    started, finished = row["started_at"], row["finished_at"]
    return {
        "id": row["id"],
        "mode": row["mode"],
        "status": row["status"],
        "why": row["why"],
        "step": row["step"],
        "started_at": moment(started),
        "finished_at": moment(finished),
        "seconds": None if finished is None else round((finished - started).total_seconds(), 2),
        "files": row["files"],
        "rows": {name: int(row[name]) for name in _COUNTS},
        "dbt": {"nodes": row["dbt_nodes"], "seconds": round(row["dbt_seconds"] or 0.0, 2)},
        "error": row["error"],
    }


def _load(row: Any) -> Json:
    is_loaded = row["state"] == "loaded"
    return {
        "name": row["name"],
        "sheet": row["sheet"],
        "dataset": row["dataset"],
        "state": row["state"],
        "reason": row["reason"],
        "hint": row["hint"],
        "loaded_at": moment(row["loaded_at"]),
        "rows": {name: row[f"rows_{name}"] or 0 for name in _COUNTS} if is_loaded else None,
    }
