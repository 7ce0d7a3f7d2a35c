"""Questions to the ledger about files: the list of them, and the whole story of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.facts import Json, moment

_COUNTS = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")
_FILE = """SELECT file.id, file.name, file.root, file.size_bytes, file.first_seen_at, file.settled_at, file.as_of,
                  file.as_of_basis, file.is_full, file.content_hash, file.repeats, file.repeated_at
           FROM qbwatch.files AS file"""
_PART = """SELECT item.id, item.file_id, item.sheet, item.dataset, item.state, item.failure_class, item.failure_code,
                  item.reason, item.hint, item.attempt, item.next_attempt_at, item.loaded_at, item.changed_at,
                  item.run_id, item.rows_read, item.rows_structural, item.rows_inserted, item.rows_updated,
                  item.rows_unchanged, item.rows_removed, item.rows_rejected, item.sums, item.notes,
                  item.period_first, item.period_last, item.answers, item.difference
           FROM qbwatch.work_items AS item"""


def list_files(connection: Connection, state: str | None = None, dataset: str | None = None) -> list[Json]:
    """Every version of every file with its parts, newest first; narrowed by a part's state and dataset."""
    where = """WHERE EXISTS (SELECT FROM qbwatch.work_items AS item WHERE item.file_id = file.id
                             AND (CAST(:state AS text) IS NULL OR item.state = :state)
                             AND (CAST(:dataset AS text) IS NULL OR item.dataset = :dataset))"""
    query = text(f"{_FILE} {where} ORDER BY file.as_of DESC, file.id DESC")
    files = connection.execute(query, {"state": state, "dataset": dataset}).mappings().all()
    parts = _parts(connection, [file["id"] for file in files])
    return [_file(file, parts.get(file["id"], [])) for file in files]


def versions_of(connection: Connection, name: str) -> list[Json]:
    """Every version of the files whose shown name, or its last part, is ``name``; newest first, with rejects."""
    where = "WHERE file.name = :name OR file.name LIKE :tail ESCAPE '!'"
    tail = "%/" + name.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    query = text(f"{_FILE} {where} ORDER BY file.id DESC")
    files = connection.execute(query, {"name": name, "tail": tail}).mappings().all()
    parts = _parts(connection, [file["id"] for file in files])
    told = []
    for file in files:
        own = parts.get(file["id"], [])
        story = _file(file, own) | {
            "content_hash": file["content_hash"],
            "as_of_basis": file["as_of_basis"],
            "settled_at": moment(file["settled_at"]),
            "repeats": file["repeats"],
            "repeated_at": moment(file["repeated_at"]),
        }
        for part, row in zip(story["parts"], own, strict=True):
            part |= {
                "class": row["failure_class"],
                "code": row["failure_code"],
                "run_id": row["run_id"],
                "changed_at": moment(row["changed_at"]),
                "sums": row["sums"],
                "notes": row["notes"],
                "period": _period(row),
                "answers": row["answers"],
                "difference": row["difference"],
                "rejects": _rejects(connection, row["id"]),
            }
        told.append(story)
    return told


def quarantined_items(connection: Connection) -> list[int]:
    """Ids of everything that waits for a person or for a later try."""
    query = "SELECT id FROM qbwatch.work_items WHERE state IN ('quarantined', 'retrying')"
    return list(connection.scalars(text(query)))


def files_of(connection: Connection, item_ids: Sequence[int]) -> int:
    """Of how many files these items are parts."""
    query = "SELECT count(DISTINCT file_id) FROM qbwatch.work_items WHERE id = ANY(:ids)"
    return int(connection.execute(text(query), {"ids": list(item_ids)}).scalar_one())


def standing_of(connection: Connection, file_ids: Sequence[int]) -> list[Json]:
    """How single files stand, part by part, for whoever asked for just these."""
    query = """SELECT file.name, item.sheet, item.dataset, item.state, item.reason, item.hint
               FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE file.id = ANY(:ids) ORDER BY item.id"""
    return [dict(row) for row in connection.execute(text(query), {"ids": list(file_ids)}).mappings()]


def _parts(connection: Connection, file_ids: list[int]) -> dict[int, list[Any]]:
    query = text(f"{_PART} WHERE item.file_id = ANY(:ids) ORDER BY item.id")
    parts: dict[int, list[Any]] = {}
    for row in connection.execute(query, {"ids": file_ids}).mappings():
        parts.setdefault(row["file_id"], []).append(row)
    return parts


def _file(file: Any, parts: list[Any]) -> Json:
    return {
        "id": file["id"],
        "name": file["name"].rsplit("/", 1)[-1],
        "path": file["name"],
        "root": file["root"],
        "size_bytes": file["size_bytes"],
        "first_seen_at": moment(file["first_seen_at"]),
        "as_of": moment(file["as_of"]),
        "full": file["is_full"],
        "parts": [_part(part) for part in parts],
    }


def _part(part: Any) -> Json:
    return {
        "sheet": part["sheet"],
        "dataset": part["dataset"],
        "state": part["state"],
        "reason": part["reason"],
        "hint": part["hint"],
        "attempt": part["attempt"],
        "next_attempt_at": moment(part["next_attempt_at"]),
        "loaded_at": moment(part["loaded_at"]),
        "rows": None if part["rows_read"] is None else {name: part[f"rows_{name}"] for name in _COUNTS},
    }


def _period(part: Any) -> Json | None:
    """Days that a report speaks for; None for any other part."""
    if part["period_first"] is None:
        return None
    return {"from": part["period_first"].isoformat(), "to": part["period_last"].isoformat()}


def _rejects(connection: Connection, item_id: int) -> list[Json]:
    query = """SELECT line, column_name AS "column", text, reason FROM qbwatch.rejected_rows
               WHERE work_item_id = :id ORDER BY line"""
    return [dict(row) for row in connection.execute(text(query), {"id": item_id}).mappings()]
