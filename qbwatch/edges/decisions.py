"""What a person decides about work items: try again, leave out, accept a question, take back.

    quarantined, retrying ──release──▶ pending        quarantined by a hold ──accept──▶ pending (the answer is kept)
    skipped by a person   ──release──▶ pending        pending, retrying, quarantined ──skip──▶ skipped
    loaded ──take_back──▶ skipped                     superseded by what was taken back ──restore──▶ loaded

A decision outlives the file: the same bytes for the same moment, dropped once more under whatever name, stay as they
were decided. New bytes under the name are a new statement, about which nothing was decided yet. Each function runs in
the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from shlex import quote
from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.holds import HOLDS
from qbwatch.core.model import Failure, FailureClass, WorkItem
from qbwatch.edges.store import items_where

REVERTED = "reverted"
SKIPPED = "skipped"
ADOPTED = "adopted"
DECIDED = (REVERTED, SKIPPED, ADOPTED)
"""Codes of skipped items that a person's word left out: of the file itself, or of what an old pipeline had loaded."""

_WHAT = {
    REVERTED: "which a person reverted",
    SKIPPED: "which a person left out",
    ADOPTED: "which was adopted as loaded by the old pipeline",
}

# Another item stands for the same content, or for the path: to take this one up beside it would count both.
_IS_FREE = """NOT EXISTS (SELECT FROM qbwatch.work_items AS twin
                          WHERE twin.content_hash = item.content_hash AND twin.as_of = item.as_of
                            AND coalesce(twin.sheet, '') = coalesce(item.sheet, '') AND twin.id <> item.id
                            AND twin.state <> 'skipped')"""
_IS_NEWEST = """NOT EXISTS (SELECT FROM qbwatch.files AS own
                            JOIN qbwatch.files AS newer ON newer.root = own.root AND newer.path = own.path
                                                       AND newer.as_of = own.as_of AND newer.id > own.id
                            JOIN qbwatch.work_items AS other ON other.file_id = newer.id
                            WHERE own.id = item.file_id AND other.state <> 'skipped')"""


def release(connection: Connection, item_ids: Iterable[int], at: datetime) -> int:
    """A person's ``retry``: quarantined and waiting items, and those that a person left out, may be tried at once.

    Returns how many there were. Those whose place another item has taken meanwhile stay as they are.
    """
    query = f"""UPDATE qbwatch.work_items AS item
                SET state = 'pending', crashes = 0, next_attempt_at = NULL, changed_at = :at, superseded_by = NULL,
                    failure_code = CASE WHEN state = 'skipped' THEN NULL ELSE failure_code END,
                    reason = CASE WHEN state = 'skipped' THEN NULL ELSE reason END,
                    hint = CASE WHEN state = 'skipped' THEN NULL ELSE hint END
                WHERE id = ANY(:ids)
                  AND (state IN ('quarantined', 'retrying')
                       OR (state = 'skipped' AND failure_code = ANY(:decided) AND {_IS_FREE} AND {_IS_NEWEST}))"""
    values = {"ids": list(item_ids), "at": at, "decided": list(DECIDED)}
    return connection.execute(text(query), values).rowcount


def accept(connection: Connection, item_ids: Iterable[int], at: datetime) -> int:
    """A person's ``accept``: held items are loaded in spite of their question, now and at every later fold.

    Returns how many there were.
    """
    query = """UPDATE qbwatch.work_items
               SET answers = jsonb_set(answers, '{accepted}',
                                       coalesce(answers->'accepted', '[]') || to_jsonb(failure_code))
                             || jsonb_build_object('accepted_at', CAST(:moment AS text)),
                   state = 'pending', crashes = 0, next_attempt_at = NULL, changed_at = :at
               WHERE id = ANY(:ids) AND state = 'quarantined' AND failure_code = ANY(:holds)"""
    values = {"ids": list(item_ids), "at": at, "moment": at.isoformat(), "holds": sorted(HOLDS)}
    return connection.execute(text(query), values).rowcount


def keep_answers(connection: Connection, item_id: int, answers: Mapping[str, Any]) -> None:
    """An item of bytes that a person answered questions about before."""
    query = "UPDATE qbwatch.work_items SET answers = CAST(:answers AS jsonb) WHERE id = :id"
    connection.execute(text(query), {"id": item_id, "answers": json.dumps(dict(answers))})


def skip(connection: Connection, item_ids: Iterable[int], at: datetime) -> int:
    """A person's ``skip``: items that wait, for their turn or for a person, are left out. Returns their number."""
    query = """UPDATE qbwatch.work_items
               SET state = 'skipped', failure_class = NULL, failure_code = :code, reason = 'left out by a person',
                   hint = '`qbwatch retry` takes it up again', next_attempt_at = NULL, changed_at = :at
               WHERE id = ANY(:ids) AND state IN ('pending', 'retrying', 'quarantined')"""
    return connection.execute(text(query), {"ids": list(item_ids), "at": at, "code": SKIPPED}).rowcount


def take_back(connection: Connection, item_ids: Iterable[int], at: datetime) -> list[WorkItem]:
    """A person's ``revert``: loaded items count no more. The caller folds their datasets again."""
    ids = list(item_ids)
    query = """UPDATE qbwatch.work_items
               SET state = 'skipped', failure_class = NULL, failure_code = :code, reason = 'reverted by a person',
                   hint = 'the same bytes stay reverted when they are dropped again; `qbwatch retry` loads them',
                   changed_at = :at
               WHERE id = ANY(:ids) AND state = 'loaded'"""
    connection.execute(text(query), {"ids": ids, "at": at, "code": REVERTED})
    return items_where(connection, "item.id = ANY(:ids)", {"ids": ids})


def restore_superseded(connection: Connection, item_ids: Sequence[int], at: datetime) -> list[WorkItem]:
    """To take the place of an earlier version was an effect of these, too: that version counts again.

    Not where its content is that of a reverted item, or stands under another name by now.
    """
    query = f"""UPDATE qbwatch.work_items AS item
                SET state = 'loaded', failure_code = NULL, reason = NULL, hint = NULL, superseded_by = NULL,
                    changed_at = :at
                WHERE item.state = 'skipped' AND item.failure_code = 'superseded'
                  AND item.superseded_by = ANY(:ids) AND {_IS_FREE}
                  AND NOT EXISTS (SELECT FROM qbwatch.work_items AS reverted
                                  WHERE reverted.id = item.superseded_by
                                    AND reverted.content_hash = item.content_hash)
                RETURNING item.id"""
    ids = list(connection.scalars(text(query), {"ids": list(item_ids), "at": at}))
    return items_where(connection, "item.id = ANY(:ids)", {"ids": ids})


def decided_against(connection: Connection, content_hash: str, as_of: datetime) -> Failure | None:
    """Why these bytes for this moment, which came again, stay left out; None where no person decided so."""
    query = """SELECT file.name, item.failure_code FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE item.content_hash = :hash AND item.as_of = :as_of AND item.state = 'skipped'
                 AND item.failure_code = ANY(:decided)
               ORDER BY item.id DESC LIMIT 1"""
    values = {"hash": content_hash, "as_of": as_of, "decided": list(DECIDED)}
    row = connection.execute(text(query), values).first()
    if row is None:
        return None
    reason = f"the same bytes for the same moment as {row.name}, {_WHAT[row.failure_code]}"
    return Failure(FailureClass.DATA, "duplicate", reason, f"`qbwatch retry {quote(row.name)}` loads it after all")
