"""Bringing a part's readable rows to where the fold needs them, by the faster of two lanes that lead to the same rows.

The *careful* lane reads row by row in Python. It serves every format and names the line and the column of whatever it
can't read. The *plain* lane (`edges.plain_lane`) reads large delimited texts a column at a time, and serves only what
both read alike; for anything else it gives up, and the careful lane begins anew. So it does where the plain lane's
reader is lost more than once: what kills it may be the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import WorkItem
from qbwatch.datasets import ColumnType, Kind
from qbwatch.edges import fold
from qbwatch.edges.fold_few import size_of
from qbwatch.edges.lane_reader import READER, LaneReader, ReaderLost
from qbwatch.edges.lane_source import source_of
from qbwatch.edges.plain_lane import PlainLane, Text
from qbwatch.edges.stage_rows import RowCopy
from qbwatch.formats.layout import Layout
from qbwatch.formats.part import Part
from qbwatch.formats.plain_text import NotPlain, prove_common
from qbwatch.formats.records import Record
from qbwatch.formats.table import Opener
from qbwatch.formats.tally import Tally, read_whole_documents
from qbwatch.log import get_logger

log = get_logger(__name__)

_ROWS_BETWEEN_LOOKS = 1000  # how often a load looks whether it should stop
LARGE = 1_500_000
"""Bytes; what is smaller is read with care before a reader of the plain lane could be started."""
_SMALL = 100_000  # where there is one
HUGE = 20_000_000
"""Bytes. Of larger exports only what changed is sent; `edges.difference` compares what is smaller."""
TRIES = 2
"""Of the plain lane, where its reader is lost."""
_MANIFOLD = 4  # a table so many times larger than the file isn't asked for all that it holds


class LoadStopped(Exception):
    """A stop was asked for in the middle of a load; everything of it is rolled back."""


@dataclass(frozen=True, slots=True)
class Staging:
    """How parts are staged over one connection, in the caller's transaction."""

    cursor: fold.Cursor
    order: DateOrder
    at: datetime
    should_stop: Callable[[], bool] = lambda: False
    reader: LaneReader = READER
    tries: int = TRIES

    def fill(self, item: WorkItem, part: Part, open_stream: Opener) -> Tally:
        """A new stage with all of the part's rows. Raises `Refusal`, and `LoadStopped` when asked to stop."""
        return self.fill_for(fold.STAGE, item, part, open_stream)[0]

    def fill_for(
        self, target: sql.Identifier, item: WorkItem, part: Part, open_stream: Opener
    ) -> tuple[Tally, fold.Staged]:
        """What folding the part into the target needs on a new stage; its rows themselves where the target is empty.

        Raises `Refusal`, and `LoadStopped` when asked to stop; `NotPlain` for a part of which only the plain lane could
        have proven how it is written.
        """
        tries = self.tries if item.size_bytes >= (_SMALL if self.reader.is_warm else LARGE) else 0
        for _ in range(tries):
            self.cursor.execute("SAVEPOINT qbwatch_lane")
            try:
                filled = self.fill_plainly(target, item, part, open_stream)
            except NotPlain as doubt:
                log.info("read with care", file=item.name, reason=str(doubt))
                self.cursor.execute("ROLLBACK TO SAVEPOINT qbwatch_lane")
                break
            except ReaderLost:
                log.warning("the reader of large files was lost", file=item.name)
                self.cursor.execute("ROLLBACK TO SAVEPOINT qbwatch_lane")
            else:
                self.cursor.execute("RELEASE SAVEPOINT qbwatch_lane")
                return filled
        if part.table.is_surmised:
            raise NotPlain("its encoding isn't known yet")
        return self.fill_with_care(item, part), fold.Staged.WHOLE

    def fill_plainly(
        self, target: sql.Identifier, item: WorkItem, part: Part, open_stream: Opener
    ) -> tuple[Tally, fold.Staged]:
        """By the plain lane alone. Raises `NotPlain` and `ReaderLost`."""
        layout = part.layout
        if part.report is not None or layout.dataset.kind is Kind.PERIOD or not _has_plain_key(layout):
            raise NotPlain("no list and no document whose key stands in one column")
        encoding, delimiter = prove_common(part.table)
        with open_stream() as stream, source_of(stream) as source:
            copy = RowCopy(self.cursor, item, self.at)
            lane = PlainLane(copy, Text(source, encoding, delimiter, layout), self.reader, self._look)
            fold.open_stage(self.cursor, layout.dataset)
            if target == fold.STAGE or layout.dataset.kind is Kind.LIST:
                return lane.fill(fold.STAGE), fold.Staged.WHOLE
            if fold.is_empty(self.cursor, target):
                tally = lane.fill(target)
                fold.drop_stage(self.cursor)
                return tally, fold.Staged.NOWHERE
            if item.size_bytes >= HUGE and size_of(self.cursor, target) <= _MANIFOLD * item.size_bytes:
                return lane.fill_changed(target), fold.Staged.CHANGED
            return lane.fill(fold.STAGE), fold.Staged.WHOLE

    def fill_with_care(self, item: WorkItem, part: Part) -> Tally:
        """By the careful lane alone."""
        copy = RowCopy(self.cursor, item, self.at)

        def read(tally: Tally) -> None:
            fold.open_stage(self.cursor, part.layout.dataset)
            copy.records(fold.STAGE, part.layout, self._records(part, tally))

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


def _has_plain_key(layout: Layout) -> bool:
    """Whether a row's key stands in one column of the row itself, as text."""
    kinds = [layout.dataset.columns[cell.column] for cell in layout.key]
    return kinds in ([ColumnType.TEXT], [ColumnType.ID]) and not layout.fills_down
