"""Runs, and the dbt work that loaded data owes: what the ledger says about passes of the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.model import Failure, Mode, RunStatus


@dataclass(frozen=True, slots=True)
class Debt:
    """dbt work that is owed for one dataset. ``next_attempt_at`` is None where only new data or a person retries."""

    id: int
    dataset: str
    full_refresh: bool
    owed_since: datetime
    attempt: int
    next_attempt_at: datetime | None
    reason: str | None


def start_run(connection: Connection, mode: Mode, why: str, total: int, at: datetime) -> int:
    """Open a run; an older one that is still called running belonged to a process that died."""
    abandon_runs(connection, at)
    query = """INSERT INTO qbwatch.runs (mode, status, why, step, total, started_at)
               VALUES (:mode, 'running', :why, 'load', :total, :at) RETURNING id"""
    values = {"mode": mode.value, "why": why, "total": total, "at": at}
    return int(connection.execute(text(query), values).scalar_one())


def abandon_runs(connection: Connection, at: datetime) -> int:
    """Close runs that nobody runs any more. Only for the holder of the one-instance lock."""
    query = """UPDATE qbwatch.runs SET status = 'error', error = 'interrupted: the process ended during this run',
                      finished_at = :at WHERE status = 'running'"""
    return connection.execute(text(query), {"at": at}).rowcount


def show_progress(
    connection: Connection, run_id: int, *, step: str, done: int, dataset: str | None = None, file: str | None = None
) -> None:
    """Where the run is, for whoever asks."""
    query = "UPDATE qbwatch.runs SET step = :step, done = :done, dataset = :dataset, file = :file WHERE id = :id"
    connection.execute(text(query), {"id": run_id, "step": step, "done": done, "dataset": dataset, "file": file})


def end_run(connection: Connection, run_id: int, status: RunStatus, error: str | None, at: datetime) -> None:
    """Close a run."""
    query = """UPDATE qbwatch.runs SET status = :status, error = :error, finished_at = :at, dataset = NULL, file = NULL
               WHERE id = :id"""
    connection.execute(text(query), {"id": run_id, "status": status.value, "error": error, "at": at})


def owe(
    connection: Connection, datasets: Iterable[str], item_id: int | None, *, full_refresh: bool, at: datetime
) -> None:
    """Note that dbt has work to do for these datasets, in the transaction that changed their rows."""
    query = """INSERT INTO qbwatch.transform_debt (dataset, work_item_id, full_refresh, owed_since)
               VALUES (:dataset, :item, :full, :at)"""
    for dataset in datasets:
        connection.execute(text(query), {"dataset": dataset, "item": item_id, "full": full_refresh, "at": at})


def owe_again(connection: Connection, at: datetime) -> list[str]:
    """Note that dbt has work to do for all that was ever loaded and built, although no rows changed; the datasets that
    weren't just owed anyway."""
    query = """INSERT INTO qbwatch.transform_debt (dataset, owed_since)
               SELECT DISTINCT item.dataset, CAST(:at AS timestamptz) FROM qbwatch.work_items AS item
               WHERE item.state = 'loaded' AND item.dataset IS NOT NULL
                 AND NOT EXISTS (SELECT FROM qbwatch.transform_debt AS owed
                                 WHERE owed.dataset = item.dataset AND owed.attempt = 0)
               RETURNING dataset"""
    return sorted(connection.scalars(text(query), {"at": at}))


def debts(connection: Connection) -> list[Debt]:
    """All dbt work that is owed, oldest first."""
    query = """SELECT id, dataset, full_refresh, owed_since, attempt, next_attempt_at, reason
               FROM qbwatch.transform_debt ORDER BY id"""
    return [Debt(**row) for row in connection.execute(text(query)).mappings()]


def clear_debts(connection: Connection, ids: Sequence[int]) -> None:
    """These were paid by a build that succeeded."""
    connection.execute(text("DELETE FROM qbwatch.transform_debt WHERE id = ANY(:ids)"), {"ids": list(ids)})


def postpone_debts(
    connection: Connection,
    ids: Sequence[int],
    failure: Failure,
    next_attempt_at: datetime | None,
    *,
    full_refresh: bool,
) -> None:
    """A build failed: keep what is owed, say why, and when it is tried again (None: with new data, or by a person).

    What was owed as a full refresh stays one, since models downstream may never have been built.
    """
    query = """UPDATE qbwatch.transform_debt
               SET attempt = attempt + 1, reason = :reason, hint = :hint, failure_class = :class,
                   next_attempt_at = :next, full_refresh = full_refresh OR :full
               WHERE id = ANY(:ids)"""
    values = {
        "ids": list(ids),
        "reason": failure.reason,
        "hint": failure.hint or None,
        "class": failure.failure_class.value,
        "next": next_attempt_at,
        "full": full_refresh,
    }
    connection.execute(text(query), values)
