"""Columns that have another header now, as a person said with ``qbwatch accept FILE --map``.

A mapping is one of the answers of the file that it was accepted for. Every later file of the dataset that has those
headers is read by it, and keeps it among its own answers: so a rebuild needs nothing but the files and their answers.
To revert the file that it was accepted for takes it back for later files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, text

from qbwatch.core.model import WorkItem
from qbwatch.edges.store import items_where
from qbwatch.formats.part import MAPPABLE
from qbwatch.formats.recognise import Remembered


def remembered(connection: Connection) -> Remembered:
    """What a person said of each dataset's files, the newest word first."""
    query = """SELECT dataset, answers->'renamed' AS renamed FROM qbwatch.work_items
               WHERE answers->>'mapped_at' IS NOT NULL AND dataset IS NOT NULL
                 AND (state <> 'skipped' OR failure_code = 'superseded')
               ORDER BY answers->>'mapped_at' DESC, id DESC"""
    return [(row.dataset, dict(row.renamed)) for row in connection.execute(text(query))]


def keep(connection: Connection, item: WorkItem, dataset: str, renamed: Mapping[str, str]) -> None:
    """An item is read by this mapping from now on."""
    query = """UPDATE qbwatch.work_items
               SET dataset = :dataset, answers = answers || jsonb_build_object('renamed', CAST(:renamed AS jsonb))
               WHERE id = :id"""
    connection.execute(text(query), {"id": item.id, "dataset": dataset, "renamed": json.dumps(dict(renamed))})


def remember(connection: Connection, item: WorkItem, at: datetime) -> None:
    """A person said so of this item: it holds for later files of its dataset, too."""
    query = """UPDATE qbwatch.work_items
               SET answers = answers || jsonb_build_object('mapped_at', CAST(:at AS text)) WHERE id = :id"""
    connection.execute(text(query), {"id": item.id, "at": at.isoformat()})


def in_want(connection: Connection) -> list[WorkItem]:
    """Items that wait for a person because of their columns."""
    where = "item.state = 'quarantined' AND item.failure_code = ANY(:codes)"
    return items_where(connection, where, {"codes": sorted(MAPPABLE)})
