"""Rows of the ledger as if files had been seen and judged, for what only reads it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, text

AT = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)  # the evening before in New York


def file_seen(connection: Connection, name: str, at: datetime = AT, root: str = "input") -> int:
    """A file version; its id."""
    query = """INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of,
                                          as_of_basis, is_full, first_seen_at, settled_at)
               VALUES (:root, :path, :name, 1, 1, 1, 1, :name, :at, 'name', false, :at, :at) RETURNING id"""
    values = {"root": root, "path": name.encode(), "name": name, "at": at}
    return int(connection.execute(text(query), values).scalar_one())


def item_of(connection: Connection, file: int, state: str, dataset: str | None, **more: object) -> None:
    """A work item of a file, in a state."""
    values = {"sheet": None, "code": None, "reason": None, "loaded_at": None, "inserted": None, "at": AT, **more}
    query = """INSERT INTO qbwatch.work_items (file_id, sheet, dataset, content_hash, as_of, is_full, state,
                   failure_code, reason, changed_at, loaded_at, rows_read, rows_inserted, rows_updated, rows_removed)
               VALUES (:file, :sheet, :dataset, CAST(:file AS text), :at, false, :state, :code, :reason, :at,
                       :loaded_at, :inserted, :inserted, 1, 2)"""
    connection.execute(text(query), {**values, "file": file, "state": state, "dataset": dataset})
