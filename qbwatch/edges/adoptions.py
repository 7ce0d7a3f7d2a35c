"""Parts that an old pipeline loaded and that needn't be loaded again: how the ledger remembers them.

Each function runs in the caller's transaction; which parts these are, `core.adoption` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.adoption import uncovered
from qbwatch.core.model import WorkItem
from qbwatch.edges import decisions
from qbwatch.edges.store import items_where

_IS_ADOPTED = "item.failure_code = 'adopted' AND item.state = 'skipped'"

# A full export with a row that can't be read leaves alone what older files say about that row's document.
_COUNTS = """item.state IN ('pending', 'loading', 'retrying')
             OR (item.state = 'loaded' AND coalesce(item.rows_rejected, 0) = 0)"""


def mark_adopted(connection: Connection, item_ids: Iterable[int], at: datetime) -> int:
    """Waiting items that needn't be loaded. Returns how many there were."""
    query = """UPDATE qbwatch.work_items
               SET state = 'skipped', failure_class = NULL, failure_code = :code, next_attempt_at = NULL,
                   reason = 'adopted: loaded by the old pipeline', changed_at = :at,
                   hint = 'a newer full export states all that it says; `qbwatch retry` loads it after all'
               WHERE id = ANY(:ids) AND state IN ('pending', 'retrying')"""
    values = {"ids": list(item_ids), "at": at, "code": decisions.ADOPTED}
    return connection.execute(text(query), values).rowcount


def standing_items(connection: Connection) -> list[WorkItem]:
    """All items that count, or will count when their turn comes."""
    return items_where(connection, f"item.dataset IS NOT NULL AND ({_COUNTS})")


def release_uncovered(connection: Connection, at: datetime) -> int:
    """Adopted items whose full export counts no more are taken up. Returns how many there were."""
    adopted = items_where(connection, _IS_ADOPTED)
    if not adopted:
        return 0
    full = items_where(
        connection,
        f"item.is_full AND item.dataset = ANY(:datasets) AND ({_COUNTS})",
        {"datasets": sorted({str(item.dataset) for item in adopted})},
    )
    return decisions.release(connection, [item.id for item in uncovered(adopted, full)], at)
