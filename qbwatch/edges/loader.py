"""Load one part in one transaction: stage its readable rows, fold them in at their place, account for everything.

A part that is newer than all of its dataset is folded straight into the raw table. A late one (or one whose earlier
version must be taken out) makes the fold start again in a scratch table, from the vault, and the raw table is then
made equal to it: the same outcome whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.accounting import check_rejects, check_rows, check_sums
from qbwatch.core.dates import DateOrder
from qbwatch.core.model import Failure, LoadResult, QbwatchError, Reject, RowCounts, Sums, WorkItem
from qbwatch.datasets import Dataset, Kind
from qbwatch.edges import fold
from qbwatch.edges.postgres import driver
from qbwatch.edges.tables import raw_table
from qbwatch.edges.vault import Vault
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.records import Record, Rejected, Structure

_REJECTS_KEPT = 1000  # of one part; the counts are always complete
_ROWS_BETWEEN_LOOKS = 1000  # how often a load looks whether it should stop


class LoadRefused(QbwatchError):
    """The part can't be loaded as it is, and everything of it is rolled back; `failure` and `rejects` say why."""

    def __init__(self, failure: Failure, rejects: Sequence[Reject] = ()) -> None:
        super().__init__(failure.reason, failure.hint)
        self.failure = failure
        self.rejects = tuple(rejects)


class LoadStopped(Exception):  # noqa: N818 - a request, not an error
    """A stop was asked for in the middle of a load; everything of it is rolled back."""


@dataclass(slots=True)
class Tally:
    """What reading a part found so far."""

    read: int = 0
    structural: int = 0
    staged: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    sums: Sums = field(default_factory=dict)
    bad_keys: set[str] = field(default_factory=set)
    keyless: bool = False


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads parts from the vault over one connection; the caller owns the transaction."""

    vault: Vault
    order: DateOrder
    should_stop: Callable[[], bool] = lambda: False

    def open(self, item: WorkItem) -> Part:
        """The part of a work item, from its copy in the vault. Raises `Refusal`."""
        name = item.name.rsplit("/", 1)[-1]
        return open_part(lambda: self.vault.open(item.content_hash), name, self.order)

    def append(self, connection: Connection, item: WorkItem, at: datetime) -> LoadResult:
        """Fold a part that is newer than everything in its dataset straight into the raw table."""
        part = self.open(item)
        return self._fold_in(driver(connection).cursor(), item, part, raw_table(part.layout.dataset), at)

    def refold(
        self, connection: Connection, dataset: Dataset, items: Sequence[WorkItem], item: WorkItem | None, at: datetime
    ) -> tuple[LoadResult, int]:
        """Fold ``items`` (in order) from nothing and make the raw table equal to that.

        Returns what ``item`` did at its place, and how many rows of the raw table were touched in the end.
        """
        cursor = driver(connection).cursor()
        fold.open_scratch(cursor, dataset)
        result = LoadResult(RowCounts())
        for each in items:
            folded = self._fold_in(cursor, each, self.open(each), fold.SCRATCH, at)
            if item is not None and each.id == item.id:
                result = folded
        return result, fold.publish_scratch(cursor, dataset)

    def _fold_in(
        self, cursor: fold.Cursor, item: WorkItem, part: Part, target: sql.Identifier, at: datetime
    ) -> LoadResult:
        tally = self._stage(cursor, item, part, at)
        if failure := check_rejects(tally.read, tally.rejected):
            raise LoadRefused(failure, tally.rejects)
        statement = _statement(item, part, tally)
        fold.seal_stage(cursor, statement)
        applied = fold.apply(cursor, statement, target, at)
        in_table = fold.sums_of_staged_keys(cursor, target, list(tally.sums))
        rows = RowCounts(
            read=tally.read,
            structural=tally.structural,
            inserted=applied.inserted,
            updated=applied.updated,
            unchanged=tally.staged - applied.inserted - applied.updated,
            removed=applied.removed,
            rejected=tally.rejected,
        )
        if failure := check_rows(rows) or check_sums(tally.sums, in_table):
            raise LoadRefused(failure, tally.rejects)
        return LoadResult(rows, tally.sums, tuple(tally.rejects), _notes(part, item, tally))

    def _stage(self, cursor: fold.Cursor, item: WorkItem, part: Part, at: datetime) -> Tally:
        """COPY a part's readable rows into the stage. A document with one bad line is kept out whole."""
        tally = self._copy(cursor, item, part, at, frozenset())
        if tally.bad_keys and part.layout.dataset.kind is Kind.DOCUMENT:
            tally = self._copy(cursor, item, part, at, frozenset(tally.bad_keys))
        return tally

    def _copy(
        self, cursor: fold.Cursor, item: WorkItem, part: Part, at: datetime, bad_documents: frozenset[str]
    ) -> Tally:
        layout = part.layout
        fold.open_stage(cursor, layout.dataset)
        tally = Tally(sums={name: Decimal(0) for _, name in layout.summed})
        lineage = (str(item.file_id), item.as_of.isoformat(), at.isoformat(), "00000000-0000-0000-0000-000000000000")
        names = (
            "_key",
            *layout.columns,
            "_extra",
            "_row_number",
            "_line",
            "_file_id",
            "_as_of",
            "_loaded_at",
            "_row_hash",
        )
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(fold.STAGE, sql.SQL(", ").join(map(sql.Identifier, names)))
        with cursor.copy(copy) as out:
            for reading in part.readings():
                tally.read += 1
                if tally.read % _ROWS_BETWEEN_LOOKS == 0 and self.should_stop():
                    raise LoadStopped
                match reading:
                    case Structure():
                        tally.structural += 1
                    case Rejected(key, reject):
                        _reject(tally, key, reject)
                    case Record() if reading.key in bad_documents:
                        reason = "another line of its document can't be read"
                        _reject(tally, reading.key, Reject(reading.line, None, "", reason))
                    case Record():
                        out.write_row(
                            (reading.key, *reading.values, reading.extra, reading.row_number, reading.ordinal, *lineage)
                        )
                        tally.staged += 1
                        for place, name in layout.summed:
                            if (value := reading.values[place]) is not None:
                                tally.sums[name] += Decimal(value)
        return tally


def _reject(tally: Tally, key: str | None, reject: Reject) -> None:
    tally.rejected += 1
    if len(tally.rejects) < _REJECTS_KEPT:
        tally.rejects.append(reject)
    if key is None:
        tally.keyless = True
    else:
        tally.bad_keys.add(key)


def _statement(item: WorkItem, part: Part, tally: Tally) -> fold.Statement:
    """Absence removes only where the export lists everything and every row of it could be told apart."""
    return fold.Statement(
        dataset=part.layout.dataset,
        columns=part.layout.columns,
        as_of=item.as_of,
        spared=frozenset(tally.bad_keys),
        removes_absent=item.is_full and not tally.keyless and tally.staged > 0,
    )


def _notes(part: Part, item: WorkItem, tally: Tally) -> tuple[str, ...]:
    """What a person should know of a load that went well."""
    notes = [f"read as {part.encoding}"]
    if part.layout.new:
        notes.append("columns without a declaration, kept in _extra: " + ", ".join(part.layout.new))
    if part.layout.lost:
        notes.append("columns that this export lacks: " + ", ".join(part.layout.lost))
    if item.is_full and tally.staged == 0:
        notes.append("a full export without a row: nothing was removed")
    if item.is_full and tally.keyless:
        notes.append("nothing was removed, because a rejected row's key couldn't be read")
    if tally.rejected > len(tally.rejects):
        notes.append(f"only the first {len(tally.rejects)} rejected rows are kept")
    return tuple(notes)
