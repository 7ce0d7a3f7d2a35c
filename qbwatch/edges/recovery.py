"""Copies of the vault, as the ledger sees them: whose loss is mended, and which are needed at all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.failure import COPY_LOST


def release_lost(connection: Connection, content_hash: str, at: datetime) -> int:
    """Bytes that the ledger knows were dropped again: what waits for a lost copy, be it another item's that is folded
    along, may be tried at once. Returns how many items there were."""
    query = """UPDATE qbwatch.work_items
               SET state = 'pending', next_attempt_at = NULL, changed_at = :at
               WHERE state = 'quarantined' AND failure_code = ANY(:codes)
                 AND EXISTS (SELECT FROM qbwatch.work_items AS known WHERE known.content_hash = :hash)"""
    return connection.execute(text(query), {"codes": list(COPY_LOST), "hash": content_hash, "at": at}).rowcount


def needed_content(connection: Connection, since: datetime) -> set[str]:
    """Hashes of what accepted and waiting items refer to, and of what changed its state after ``since``.

    What was adopted may have to be loaded after all, so it is as good as waiting."""
    query = """SELECT DISTINCT content_hash FROM qbwatch.work_items
               WHERE state NOT IN ('skipped', 'quarantined') OR is_folded OR changed_at > :since
                  OR failure_code = 'adopted'"""
    return set(connection.scalars(text(query), {"since": since}))
