"""Where does an item stand in the fold of its dataset, and which older versions of its file does it replace?

Each function runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.model import WorkItem
from qbwatch.edges.status_queries import UNFOLDED


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands among what its dataset's raw table already holds."""

    is_late: bool
    has_superseded: bool


def place_of(connection: Connection, item: WorkItem) -> Place:
    """Whether the raw table already holds something newer than the item, or something that is to be taken out."""
    query = """SELECT EXISTS (SELECT FROM qbwatch.work_items AS item
                              WHERE item.dataset = :dataset AND item.is_folded AND item.as_of >= :as_of
                                AND (item.as_of, item.is_full, item.content_hash, item.id)
                                    > (:as_of, :is_full, :content_hash, :id)) AS is_late,
                      EXISTS (SELECT FROM qbwatch.work_items AS item
                              WHERE item.dataset = :dataset AND item.is_folded AND item.id <> :id
                                AND item.is_folded <> (item.state = 'loaded')) AS has_superseded"""
    values = {
        "as_of": item.as_of,
        "is_full": item.is_full,
        "content_hash": item.content_hash,
        "id": item.id,
        "dataset": item.dataset,
    }
    return Place(**connection.execute(text(query), values).mappings().one())


@dataclass(frozen=True, slots=True)
class Superseded:
    """An older version of a file's part that counts no more; whether the raw table of its dataset held it."""

    dataset: str | None
    is_folded: bool


def late_items(connection: Connection, item_ids: Iterable[int]) -> set[int]:
    """Those of the items whose raw table holds something newer, or an older version of the same file.

    Not those in whose company the process died before: such a one is loaded by itself, so that a further death counts
    for it alone.
    """
    query = """SELECT item.id FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE item.id = ANY(:ids) AND item.crashes = 0
                 AND (EXISTS (SELECT FROM qbwatch.work_items AS other
                              WHERE other.dataset = item.dataset AND other.is_folded AND other.as_of >= item.as_of
                                AND (other.as_of, other.is_full, other.content_hash, other.id)
                                    > (item.as_of, item.is_full, item.content_hash, item.id))
                      OR EXISTS (SELECT FROM qbwatch.files AS older
                                 JOIN qbwatch.work_items AS own ON own.file_id = older.id AND own.is_folded
                                 WHERE older.root = file.root AND older.path = file.path
                                   AND older.as_of = file.as_of AND older.id < file.id))"""
    return set(connection.scalars(text(query), {"ids": list(item_ids)}))


def supersede_older_versions(connection: Connection, item: WorkItem, at: datetime) -> list[Superseded]:
    """A file that was rewritten under its name speaks for the same moment: only its newest version counts.

    Part by part: a sheet that can't be loaded any more must not take the others' former versions along. A sheet that
    the newer version hasn't got at all is gone with it. Returns those that counted until now, be it in another dataset.
    """
    query = """UPDATE qbwatch.work_items AS item
               SET superseded_by = CASE WHEN item.state = 'loaded' THEN :id END,
                   state = 'skipped', reason = 'superseded by a newer version of the same file', hint = NULL,
                   failure_class = NULL, failure_code = 'superseded', next_attempt_at = NULL, changed_at = :at
               FROM qbwatch.files AS older, qbwatch.files AS newer
               WHERE newer.id = :file_id AND older.root = newer.root AND older.path = newer.path
                 AND older.as_of = newer.as_of AND older.id < newer.id AND item.file_id = older.id
                 AND (item.sheet IS NOT DISTINCT FROM :sheet OR item.dataset = :dataset
                      OR NOT EXISTS (SELECT FROM qbwatch.work_items AS own
                                     WHERE own.file_id = :file_id AND own.sheet IS NOT DISTINCT FROM item.sheet))
                 AND item.state IN ('pending', 'retrying', 'quarantined', 'loaded')
               RETURNING item.dataset, item.is_folded"""
    values = {"id": item.id, "file_id": item.file_id, "sheet": item.sheet, "dataset": item.dataset, "at": at}
    return [Superseded(**row) for row in connection.execute(text(query), values).mappings()]


def set_unfolded(connection: Connection, dataset_names: Iterable[str]) -> None:
    """The raw tables of these datasets were made just now, and hold nothing."""
    query = "UPDATE qbwatch.work_items SET is_folded = false WHERE dataset = ANY(:datasets) AND is_folded"
    connection.execute(text(query), {"datasets": list(dataset_names)})


def unfolded_datasets(connection: Connection) -> list[str]:
    """Datasets whose raw table lacks something that is loaded, as only a table does that was made anew."""
    return list(connection.scalars(text(UNFOLDED)))
