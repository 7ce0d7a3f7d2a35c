"""Records as Python reads them → rows of the stage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg import sql

from qbwatch.core.model import WorkItem
from qbwatch.edges import fold
from qbwatch.formats.layout import Layout
from qbwatch.formats.records import Record

_AFTER_VALUES = ("_extra", "_row_number", "_line", "_file_id", "_as_of", "_loaded_at", "_row_hash")


def copy_records(cursor: fold.Cursor, item: WorkItem, layout: Layout, at: datetime, records: Iterable[Record]) -> None:
    """COPY records into the open stage; they are hashed when it is sealed."""
    lineage = (str(item.file_id), item.as_of.isoformat(), at.isoformat(), fold.NO_HASH_YET)
    names = sql.SQL(", ").join(map(sql.Identifier, ("_key", *layout.columns, *_AFTER_VALUES)))
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(fold.STAGE, names)) as out:
        for each in records:
            out.write_row((each.key, *each.values, each.extra, each.row_number, each.ordinal, *lineage))
