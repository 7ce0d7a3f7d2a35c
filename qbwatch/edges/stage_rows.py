"""A part's rows, as either lane reads them → rows of a table of a raw table's shape, by COPY."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import psycopg
from psycopg import sql

from qbwatch.core.model import WorkItem
from qbwatch.edges.fold import Cursor
from qbwatch.formats.layout import Layout
from qbwatch.formats.records import Record
from qbwatch.formats.row_text import RowText, finished

_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class RowCopy:
    """How a part's rows are copied: over which connection, and what is noted of where they come from."""

    cursor: Cursor
    item: WorkItem
    at: datetime

    def into(self, table: sql.Identifier, text: RowText) -> AbstractContextManager[psycopg.Copy]:
        """A COPY of finished rows into the table."""
        columns = sql.SQL(", ").join(map(sql.Identifier, (*text.columns, "_file_id", "_as_of", "_loaded_at")))
        return self.cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN (ENCODING 'UTF8')").format(table, columns))

    @property
    def lineage(self) -> bytes:
        """What each row's text ends with."""
        return f"\t{self.item.file_id}\t{_moment(self.item.as_of)}\t{_moment(self.at)}\n".encode()

    def records(self, table: sql.Identifier, layout: Layout, records: Iterable[Record]) -> None:
        """Copy records as they are read."""
        text, lineage, rest = RowText(layout), self.lineage, iter(records)
        with self.into(table, text) as out:
            while some := list(islice(rest, _ROWS_AT_ONCE)):
                said = [text.said(each) for each in some]
                numbers = [each.row_number for each in some]
                out.write(finished(said, numbers, text.digests(said), lineage))


def _moment(when: datetime) -> str:
    """As Postgres reads it soonest: with a T and a zone in digits it takes twice as long, with marks a tenth longer."""
    return when.astimezone(UTC).isoformat(" ").removesuffix("+00:00").replace("-", "").replace(":", "") + "z"
