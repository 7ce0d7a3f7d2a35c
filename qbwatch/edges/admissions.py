"""Write a settled file into the ledger, as new work, as a duplicate, or as a question for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from qbwatch.core.arrival import Arrival
from qbwatch.core.filename import name_of_copies
from qbwatch.core.model import AsOfBasis, Failure, ItemState


@dataclass(frozen=True, slots=True)
class SeenFile:
    """One version of a file as it settled. ``root`` is ``input``, ``seed`` or ``picked``; ``path`` its exact bytes."""

    root: str
    path: bytes
    name: str
    size_bytes: int
    mtime_ns: int
    inode: int
    device: int
    content_hash: str
    as_of: datetime
    as_of_basis: AsOfBasis
    is_full: bool
    first_seen_at: datetime
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """The newest version of a path that the ledger knows."""

    file_id: int
    content_hash: str
    as_of: datetime
    size_bytes: int
    mtime_ns: int
    inode: int
    device: int


@dataclass(frozen=True, slots=True)
class Twin:
    """A file that was accepted with the same bytes for the same moment: its shown name, and how its parts stand.

    ``parts`` are the state of each and what a person answered about it, by the sheet's name ("" where it has none).
    """

    name: str
    same_path: bool
    parts: Mapping[str, tuple[ItemState, Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def is_loading(self) -> bool:
        """Whether any part is being loaded at this moment."""
        return any(state is ItemState.LOADING for state, _ in self.parts.values())


def newest_version(connection: Connection, root: str, path: bytes) -> Version | None:
    """What the ledger last saw under this path."""
    query = """SELECT id AS file_id, content_hash, as_of, size_bytes, mtime_ns, inode, device FROM qbwatch.files
               WHERE root = :root AND path = :path ORDER BY id DESC LIMIT 1"""
    row = connection.execute(text(query), {"root": root, "path": path}).mappings().one_or_none()
    return None if row is None else Version(**{**row, "inode": int(row["inode"]), "device": int(row["device"])})


def known_among(connection: Connection, arrivals: Sequence[Arrival]) -> set[bytes]:
    """Which of their paths and content hashes (as bytes) the ledger has met: one question, as thousands may come."""
    query = """SELECT path AS known FROM qbwatch.files WHERE root = ANY(:roots) AND path = ANY(:paths)
               UNION ALL
               SELECT convert_to(content_hash, 'UTF8') FROM qbwatch.work_items WHERE content_hash = ANY(:hashes)"""
    values = {
        "roots": list({arrival.root for arrival in arrivals}),
        "paths": [arrival.path for arrival in arrivals],
        "hashes": [arrival.content_hash for arrival in arrivals],
    }
    return {bytes(known) for known in connection.scalars(text(query), values)}


def is_content_known(connection: Connection, content_hash: str) -> bool:
    """Whether any file with these bytes has a work item, whatever became of it."""
    query = "SELECT EXISTS (SELECT FROM qbwatch.work_items WHERE content_hash = :hash)"
    return bool(connection.scalar(text(query), {"hash": content_hash}))


def versions_at(connection: Connection, seen: SeenFile) -> list[int]:
    """Ids of all versions of this path that speak for the same moment."""
    query = "SELECT id FROM qbwatch.files WHERE root = :root AND path = :path AND as_of = :as_of"
    values = {"root": seen.root, "path": seen.path, "as_of": seen.as_of}
    return list(connection.scalars(text(query), values))


def known_paths(connection: Connection) -> list[tuple[str, bytes, Version]]:
    """The newest version of every path, to recognise unchanged files at a scan without reading them."""
    query = """SELECT DISTINCT ON (root, path) root, path, id AS file_id, content_hash, as_of, size_bytes, mtime_ns,
                      inode, device
               FROM qbwatch.files ORDER BY root, path, id DESC"""
    return [
        (
            row["root"],
            bytes(row["path"]),
            Version(
                row["file_id"],
                row["content_hash"],
                row["as_of"],
                row["size_bytes"],
                row["mtime_ns"],
                int(row["inode"]),
                int(row["device"]),
            ),
        )
        for row in connection.execute(text(query)).mappings()
    ]


def touch(connection: Connection, file_id: int, seen: SeenFile) -> None:
    """The same bytes under the same path, dropped or touched once more: a duplicate that is counted, no new version."""
    query = """UPDATE qbwatch.files
               SET repeats = repeats + CASE WHEN mtime_ns <> :mtime OR inode <> :inode THEN 1 ELSE 0 END,
                   repeated_at = CASE WHEN mtime_ns <> :mtime OR inode <> :inode THEN :at ELSE repeated_at END,
                   mtime_ns = :mtime, inode = :inode, device = :device
               WHERE id = :id"""
    values = {"id": file_id, "mtime": seen.mtime_ns, "inode": seen.inode, "device": seen.device, "at": seen.settled_at}
    connection.execute(text(query), values)


def record_file(connection: Connection, seen: SeenFile) -> int:
    """A new version of a file; returns its id."""
    query = """INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of,
                                          as_of_basis, is_full, first_seen_at, settled_at)
               VALUES (:root, :path, :name, :size_bytes, :mtime_ns, :inode, :device, :content_hash, :as_of,
                       :as_of_basis, :is_full, :first_seen_at, :settled_at) RETURNING id"""
    values = {name: getattr(seen, name) for name in SeenFile.__dataclass_fields__}
    return int(connection.execute(text(query), {**values, "as_of_basis": seen.as_of_basis.value}).scalar_one())


def twin_of(connection: Connection, seen: SeenFile) -> Twin | None:
    """An accepted file with the same bytes and the same ``as_of``."""
    query = """SELECT file.name, (file.root = :root AND file.path = :path) AS same_path,
                      jsonb_object_agg(coalesce(item.sheet, ''), jsonb_build_array(item.state, item.answers)) AS parts
               FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE item.content_hash = :hash AND item.as_of = :as_of AND item.state <> 'skipped'
               GROUP BY file.id ORDER BY file.id LIMIT 1"""
    values = {"root": seen.root, "path": seen.path, "hash": seen.content_hash, "as_of": seen.as_of}
    row = connection.execute(text(query), values).first()
    if row is None:
        return None
    parts = {sheet: (ItemState(state), answers) for sheet, (state, answers) in row.parts.items()}
    return Twin(row.name, bool(row.same_path), parts)


def rival_of(connection: Connection, seen: SeenFile, dataset: str | None) -> str | None:
    """The shown name of an accepted file that differs from this in its bytes and in a copy's marks in its name."""
    query = """SELECT file.path, file.name FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE (item.dataset = :dataset AND item.as_of = :as_of AND (item.is_folded OR item.state = 'loaded')
                      OR item.state IN ('pending', 'loading', 'retrying') AND item.as_of = :as_of)
                 AND item.content_hash <> :hash AND file.root = :root AND file.path <> :path ORDER BY item.id"""
    values = {"dataset": dataset, "as_of": seen.as_of, "hash": seen.content_hash, "root": seen.root, "path": seen.path}
    own = name_of_copies(seen.path)
    found = connection.execute(text(query), values)
    return next((row.name for row in found if name_of_copies(bytes(row.path)) == own), None)


def bearer_of(connection: Connection, file_id: int) -> int:
    """The file version whose work items stand for this one's content: itself, or the one that it duplicates."""
    query = """SELECT min(item.file_id) FROM qbwatch.files AS file JOIN qbwatch.work_items AS item
                 ON item.content_hash = file.content_hash AND item.as_of = file.as_of
               WHERE file.id = :id AND item.state <> 'skipped'"""
    found = connection.scalar(text(query), {"id": file_id})
    return file_id if found is None else int(found)


def accepted_as(connection: Connection, content_hash: str, as_of: datetime) -> str | None:
    """The shown name of an accepted file with these bytes and this moment."""
    query = """SELECT file.name FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE item.content_hash = :hash AND item.as_of = :as_of
                 AND item.state NOT IN ('skipped', 'quarantined')
               ORDER BY item.id LIMIT 1"""
    name: str | None = connection.scalar(text(query), {"hash": content_hash, "as_of": as_of})
    return name


@dataclass(frozen=True, slots=True)
class NewItem:
    """A part of a file as it enters the work table: pending, or already decided, with the failure that decided it."""

    state: ItemState
    dataset: str | None = None
    sheet: str | None = None
    failure: Failure | None = None
    is_full: bool = False


def add_item(connection: Connection, seen: SeenFile, file_id: int, item: NewItem, at: datetime) -> int:
    """The work item of a file's part; returns its id."""
    query = """INSERT INTO qbwatch.work_items (file_id, sheet, dataset, content_hash, as_of, is_full, state,
                                               failure_class, failure_code, reason, hint, changed_at)
               VALUES (:file_id, :sheet, :dataset, :hash, :as_of, :is_full, :state, :class, :code, :reason, :hint, :at)
               RETURNING id"""
    failure = item.failure
    values = {
        "file_id": file_id,
        "sheet": item.sheet,
        "dataset": item.dataset,
        "hash": seen.content_hash,
        "as_of": seen.as_of,
        "is_full": item.is_full,
        "state": item.state.value,
        "class": failure.failure_class.value if failure and item.state is ItemState.QUARANTINED else None,
        "code": failure.code if failure else None,
        "reason": failure.reason if failure else None,
        "hint": failure.hint or None if failure else None,
        "at": at,
    }
    return int(connection.execute(text(query), values).scalar_one())


def retire_versions(connection: Connection, seen: SeenFile, states: Iterable[ItemState], at: datetime) -> None:
    """Older versions of this path and moment, in one of these states, are overtaken by the one that just settled."""
    query = """UPDATE qbwatch.work_items AS item
               SET state = 'skipped', reason = 'superseded by a newer version of the same file', hint = NULL,
                   failure_class = NULL, failure_code = 'superseded', next_attempt_at = NULL, changed_at = :at
               FROM qbwatch.files AS file
               WHERE item.file_id = file.id AND file.root = :root AND file.path = :path AND item.as_of = :as_of
                 AND item.state = ANY(:states)"""
    values = {"root": seen.root, "path": seen.path, "as_of": seen.as_of, "at": at}
    connection.execute(text(query), {**values, "states": [state.value for state in states]})
