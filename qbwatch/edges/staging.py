"""Filling the stage with a part's readable rows, by the faster of two lanes that lead to the same rows.

The *careful* lane reads row by row in Python. It serves every format and names the line and the column of whatever it
can't read. The *plain* lane (`edges.plain_lane`) sends a delimited text to Postgres as it is, and serves only what both
read alike; for anything else it gives up, and the careful lane begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import WorkItem
from qbwatch.datasets import Kind
from qbwatch.edges import fold
from qbwatch.edges.plain_lane import PlainLane
from qbwatch.edges.plain_sql import has_plain_key
from qbwatch.edges.stage_rows import copy_records
from qbwatch.formats.cells import read_negation
from qbwatch.formats.part import Part
from qbwatch.formats.plain_text import NotPlain, open_plain
from qbwatch.formats.records import Record
from qbwatch.formats.table import Opener
from qbwatch.formats.tally import Tally, read_whole_documents
from qbwatch.log import get_logger

log = get_logger(__name__)

_ROWS_BETWEEN_LOOKS = 1000  # how often a load looks whether it should stop
SMALL = 100_000  # bytes; what is smaller is read with care before the plain lane has made its tables


class LoadStopped(Exception):
    """A stop was asked for in the middle of a load; everything of it is rolled back."""


@dataclass(frozen=True, slots=True)
class Staging:
    """How stages are filled over one connection, in the caller's transaction."""

    cursor: fold.Cursor
    order: DateOrder
    at: datetime
    should_stop: Callable[[], bool] = lambda: False

    def fill(self, item: WorkItem, part: Part, open_stream: Opener) -> Tally:
        """A new stage with the part's rows. Raises `Refusal`, and `LoadStopped` when asked to stop."""
        if item.size_bytes >= SMALL:
            self.cursor.execute("SAVEPOINT qbwatch_lane")
            try:
                return self.fill_plainly(item, part, open_stream)
            except NotPlain as doubt:
                log.info("read with care", file=item.name, reason=str(doubt).splitlines()[0])
                self.cursor.execute("ROLLBACK TO SAVEPOINT qbwatch_lane")
        return self.fill_with_care(item, part)

    def fill_plainly(self, item: WorkItem, part: Part, open_stream: Opener) -> Tally:
        """By the plain lane alone. Raises `NotPlain`."""
        layout = part.layout
        if part.report is not None or layout.dataset.kind is Kind.PERIOD or not has_plain_key(layout):
            raise NotPlain("no list and no document whose key stands in one column")
        if layout.withheld:
            raise NotPlain("columns that are never loaded, and shan't lie in Postgres even for a moment")
        if any(cell.read is read_negation for cell in layout.cells):
            raise NotPlain("a column under a header that says its opposite")
        header = layout.header
        with open_stream() as stream:
            text = open_plain(stream, part.table, header.line, header.written)
            return PlainLane(self.cursor, item, part, self.at, self.order, self._look).stage(text)

    def fill_with_care(self, item: WorkItem, part: Part) -> Tally:
        """By the careful lane alone."""

        def read(tally: Tally) -> None:
            fold.open_stage(self.cursor, part.layout.dataset)
            copy_records(self.cursor, item, part.layout, self.at, self._records(part, tally))

        return read_whole_documents(part.layout, read)

    def _records(self, part: Part, tally: Tally) -> Iterator[Record]:
        for reading in part.readings():
            if tally.read % _ROWS_BETWEEN_LOOKS == 0:
                self._look()
            if (record := tally.take(reading)) is not None:
                yield record

    def _look(self) -> None:
        if self.should_stop():
            raise LoadStopped
