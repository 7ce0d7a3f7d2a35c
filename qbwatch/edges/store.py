"""The work table: the seam between intake, which fills it, and the pipeline, which empties it.

All transitions of a work item's state stand here. Each function runs in the caller's transaction.

    pending ──claim──▶ loading ──finish──▶ loaded
       ▲                 │ ├──defer──▶ retrying ──claim──▶ …
       │                 │ └──quarantine──▶ quarantined
       └──recover────────┘        any but loading ──supersede──▶ skipped

What a person decides about an item stands in `decisions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from qbwatch.core.failure import CRASHES_ALLOWED, LONGEST_PAUSE, of_crashes
from qbwatch.core.model import Failure, ItemState, LoadResult, Reject, WorkItem

_ITEM = """SELECT item.id, item.file_id, item.dataset, item.sheet, item.content_hash, item.as_of, item.is_full,
                  item.state, item.attempt, item.answers, item.deferrals, file.name, file.size_bytes,
                  file.first_seen_at
           FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id"""
_MOMENT = timedelta(microseconds=1)  # Postgres counts no shorter times
FOLD_ORDER = "item.as_of, item.is_full, item.content_hash, item.id"
_LATEST_FIRST = "item.as_of DESC, item.is_full DESC, item.content_hash DESC, item.id DESC"


def _item(row: RowMapping) -> WorkItem:
    return WorkItem(**{**row, "state": ItemState(row["state"])})


def items_where(connection: Connection, where: str, values: Mapping[str, Any] | None = None) -> list[WorkItem]:
    """Work items (``item`` and ``file`` in the condition) in the order of the fold."""
    query = text(f"{_ITEM} WHERE {where} ORDER BY {FOLD_ORDER}")
    return [_item(row) for row in connection.execute(query, values or {}).mappings()]


def last_item_where(connection: Connection, where: str, values: Mapping[str, Any]) -> WorkItem | None:
    """The last of such work items in the order of the fold."""
    query = text(f"{_ITEM} WHERE {where} ORDER BY {_LATEST_FIRST} LIMIT 1")
    row = connection.execute(query, values).mappings().one_or_none()
    return None if row is None else _item(row)


def open_items(connection: Connection) -> list[WorkItem]:
    """Items that a run would load now or later: pending, and retrying whatever their time."""
    return items_where(connection, "item.state IN ('pending', 'retrying')")


def due_items(connection: Connection, at: datetime) -> list[WorkItem]:
    """Items that a run may load now. A pause's end that lies further ahead than any pause takes, comes from a clock
    that was set back since."""
    where = """item.state = 'pending'
               OR (item.state = 'retrying' AND item.next_attempt_at NOT BETWEEN :after AND :latest)"""
    return items_where(connection, where, {"after": at + _MOMENT, "latest": at + LONGEST_PAUSE})


def folded_items(connection: Connection, dataset: str) -> list[WorkItem]:
    """The accepted items of a dataset, in the order of the fold."""
    return items_where(connection, "item.dataset = :dataset AND item.state = 'loaded'", {"dataset": dataset})


def changed_items(connection: Connection, dataset: str) -> list[WorkItem]:
    """What the raw table of a dataset holds and shouldn't any more, or doesn't yet and should."""
    where = "item.dataset = :dataset AND item.is_folded <> (item.state = 'loaded')"
    return items_where(connection, where, {"dataset": dataset})


def in_fold_order(items: Iterable[WorkItem]) -> list[WorkItem]:
    """Items in the order of the fold, as `FOLD_ORDER` says it in SQL: a full export comes after its day's windows."""
    return sorted(items, key=lambda item: (item.as_of, item.is_full, item.content_hash, item.id))


def has_loaded(connection: Connection, source: str) -> bool:
    """Whether anything of the source was ever loaded."""
    query = "SELECT EXISTS (SELECT FROM qbwatch.work_items WHERE state = 'loaded' AND dataset LIKE :prefix)"
    return bool(connection.scalar(text(query), {"prefix": f"{source}.%"}))


def refused_items(connection: Connection) -> list[WorkItem]:
    """Items that were set aside when they came, before any run: the next run reports them."""
    return items_where(connection, "item.state = 'quarantined' AND item.run_id IS NULL")


def report_refused(connection: Connection, item_ids: Iterable[int], run_id: int) -> list[tuple[str, str]]:
    """A run reports these, hence no later one does; returns their names and reasons."""
    query = """UPDATE qbwatch.work_items AS item SET run_id = :run FROM qbwatch.files AS file
               WHERE item.id = ANY(:ids) AND item.run_id IS NULL AND item.state = 'quarantined'
                 AND file.id = item.file_id RETURNING file.name, item.reason"""
    rows = connection.execute(text(query), {"run": run_id, "ids": list(item_ids)})
    return [(row.name, row.reason) for row in rows]


def claim(connection: Connection, item_id: int, run_id: int, at: datetime) -> WorkItem | None:
    """Take an item for loading; None when it isn't to be had any more (another session, or a person's decision)."""
    query = """UPDATE qbwatch.work_items SET state = 'loading', attempt = attempt + 1, run_id = :run, changed_at = :at
               WHERE id = (SELECT id FROM qbwatch.work_items WHERE id = :id AND state IN ('pending', 'retrying')
                           FOR UPDATE SKIP LOCKED)
               RETURNING id"""
    if connection.scalar(text(query), {"id": item_id, "run": run_id, "at": at}) is None:
        return None
    return items_where(connection, "item.id = :id", {"id": item_id})[0]


def set_dataset(connection: Connection, item_id: int, dataset: str) -> None:
    """A file that no dataset fitted when it came is recognised now (a person asked for another try)."""
    query = "UPDATE qbwatch.work_items SET dataset = :dataset WHERE id = :id"
    connection.execute(text(query), {"id": item_id, "dataset": dataset})


def finish(connection: Connection, item: WorkItem, result: LoadResult, at: datetime) -> None:
    """Record that the item is loaded, with its accounting and rejects."""
    rows = result.rows
    query = """UPDATE qbwatch.work_items
               SET state = 'loaded', is_folded = true, loaded_at = :at, changed_at = :at, next_attempt_at = NULL,
                   deferrals = 0,
                   failure_class = NULL, failure_code = NULL, reason = NULL, hint = NULL,
                   rows_read = :read, rows_structural = :structural, rows_inserted = :inserted,
                   rows_updated = :updated, rows_unchanged = :unchanged, rows_removed = :removed,
                   rows_rejected = :rejected, sums = CAST(:sums AS jsonb), notes = CAST(:notes AS jsonb),
                   period_first = :first, period_last = :last, difference = CAST(:difference AS jsonb),
                   superseded_by = NULL, report = :report
               WHERE id = :id AND state = 'loading' RETURNING id"""
    values = {
        "id": item.id,
        "at": at,
        "read": rows.read,
        "structural": rows.structural,
        "inserted": rows.inserted,
        "updated": rows.updated,
        "unchanged": rows.unchanged,
        "removed": rows.removed,
        "rejected": rows.rejected,
        "sums": json.dumps({name: str(total) for name, total in result.sums.items()}),
        "notes": json.dumps(list(result.notes)),
        "first": result.period.first if result.period else None,
        "last": result.period.last if result.period else None,
        "report": result.report,
        "difference": json.dumps(asdict(result.difference)) if result.difference else None,
    }
    done = connection.scalar(text(query), values)
    assert done is not None, "an item that is being loaded can't be changed by anyone else"
    record_rejects(connection, item.id, result.rejects)


def record_rejects(connection: Connection, item_id: int, rejects: Iterable[Reject]) -> None:
    """Replace an item's rejected rows by these."""
    connection.execute(text("DELETE FROM qbwatch.rejected_rows WHERE work_item_id = :id"), {"id": item_id})
    rows = [
        {"id": item_id, "line": each.line, "column": each.column, "text": each.text, "reason": each.reason}
        for each in rejects
    ]
    if rows:
        query = """INSERT INTO qbwatch.rejected_rows (work_item_id, line, column_name, text, reason)
                   VALUES (:id, :line, :column, :text, :reason)"""
        connection.execute(text(query), rows)


def set_folded(connection: Connection, dataset: str) -> None:
    """After a fold from nothing, the raw table holds the loaded items and nothing else."""
    query = """UPDATE qbwatch.work_items SET is_folded = (state = 'loaded')
               WHERE dataset = :dataset AND is_folded <> (state = 'loaded')"""
    connection.execute(text(query), {"dataset": dataset})


def quarantine(connection: Connection, item_id: int, failure: Failure, at: datetime) -> None:
    """Set an item aside for a person."""
    _set_aside(connection, item_id, failure, ItemState.QUARANTINED, None, at)


def defer(connection: Connection, item_id: int, failure: Failure, next_attempt_at: datetime, at: datetime) -> None:
    """Put an item back after a fault that isn't its own: that was no attempt. Tried again at ``next_attempt_at``."""
    query = """UPDATE qbwatch.work_items SET attempt = attempt - 1, deferrals = deferrals + 1
               WHERE id = :id AND state = 'loading'"""
    connection.execute(text(query), {"id": item_id})
    _set_aside(connection, item_id, failure, ItemState.RETRYING, next_attempt_at, at)


def _set_aside(
    connection: Connection,
    item_id: int,
    failure: Failure,
    state: ItemState,
    next_attempt_at: datetime | None,
    at: datetime,
) -> None:
    query = """UPDATE qbwatch.work_items
               SET state = :state, next_attempt_at = :next, failure_class = :class, failure_code = :code,
                   reason = :reason, hint = :hint, changed_at = :at
               WHERE id = :id AND state = 'loading'"""
    values = {
        "id": item_id,
        "state": state.value,
        "next": next_attempt_at,
        "class": failure.failure_class.value,
        "code": failure.code,
        "reason": failure.reason,
        "hint": failure.hint,
        "at": at,
    }
    connection.execute(text(query), values)


def put_back(connection: Connection, item_id: int, at: datetime) -> None:
    """Undo a claim whose load was stopped on request: the attempt doesn't count."""
    query = """UPDATE qbwatch.work_items SET state = 'pending', attempt = attempt - 1, changed_at = :at
               WHERE id = :id AND state = 'loading'"""
    connection.execute(text(query), {"id": item_id, "at": at})


def recover(connection: Connection, at: datetime, *, count_crash: bool) -> int:
    """Items that were being loaded go back; after a crash, one that keeps killing the process is quarantined.

    ``count_crash`` is False when only the database went away, which is no attempt of the item. For the holder of the
    one-instance lock alone, for whom every ``loading`` item is an orphan. Returns their number.
    """
    verdict = of_crashes(CRASHES_ALLOWED)
    query = """UPDATE qbwatch.work_items
               SET crashes = crashes + :crash, attempt = attempt - 1 + :crash, deferrals = deferrals + 1 - :crash,
                   changed_at = :at,
                   state = CASE WHEN crashes + :crash >= :allowed THEN 'quarantined' ELSE 'pending' END,
                   failure_class = CASE WHEN crashes + :crash >= :allowed THEN :class END,
                   failure_code = CASE WHEN crashes + :crash >= :allowed THEN :code END,
                   reason = CASE WHEN crashes + :crash >= :allowed THEN :reason END,
                   hint = CASE WHEN crashes + :crash >= :allowed THEN :hint END
               WHERE state = 'loading'"""
    values = {
        "at": at,
        "crash": 1 if count_crash else 0,
        "allowed": CRASHES_ALLOWED,
        "class": verdict.failure_class.value,
        "code": verdict.code,
        "reason": verdict.reason,
        "hint": verdict.hint,
    }
    return connection.execute(text(query), values).rowcount
