"""Load one part in one transaction: stage its readable rows, fold them in at their place, account for everything.

A part that is newer than all of its dataset is folded straight into the raw table. A late one (or one whose earlier
version must be taken out) makes the fold start again in a scratch table, from the vault, and the raw table is then
made equal to it: the same outcome whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.accounting import check_rejects, check_rows, check_sums
from qbwatch.core.dates import DateOrder
from qbwatch.core.model import Failure, LoadResult, QbwatchError, Reject, RowCounts, WorkItem
from qbwatch.datasets import Dataset
from qbwatch.edges import fold, item_prices
from qbwatch.edges.key_kinds import check_key_kind
from qbwatch.edges.postgres import driver
from qbwatch.edges.tables import raw_table
from qbwatch.edges.vault import Vault
from qbwatch.formats.notes import notes_of
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally, read_whole_documents

_LINEAGE = ("_file_id", "_as_of", "_loaded_at", "_row_hash")
_NO_HASH_YET = "00000000-0000-0000-0000-000000000000"  # the stage is hashed as a whole, in SQL
_ROWS_BETWEEN_LOOKS = 1000  # how often a load looks whether it should stop


class LoadRefused(QbwatchError):
    """The part can't be loaded as it is, and everything of it is rolled back; `failure` and `rejects` say why."""

    def __init__(self, failure: Failure, rejects: Sequence[Reject] = ()) -> None:
        super().__init__(failure.reason, failure.hint)
        self.failure = failure
        self.rejects = tuple(rejects)


class LoadStopped(Exception):
    """A stop was asked for in the middle of a load; everything of it is rolled back."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads parts from the vault over one connection; the caller owns the transaction."""

    vault: Vault
    order: DateOrder
    should_stop: Callable[[], bool] = lambda: False

    def open(self, item: WorkItem) -> Part:
        """The part of a work item, from its copy in the vault. Raises `Refusal`."""
        name = item.name.rsplit("/", 1)[-1]
        return open_part(lambda: self.vault.open(item.content_hash), name, self.order, item.sheet)

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
            if item is not None and each.id == item.id:
                result = self._fold_in(cursor, each, self.open(each), fold.SCRATCH, at)
            else:
                self._fold_again(cursor, each, at)
        touched = fold.publish_scratch(cursor, dataset)
        return result, touched + item_prices.publish(cursor, dataset.full_name)

    def _fold_again(self, cursor: fold.Cursor, item: WorkItem, at: datetime) -> None:
        """A part that was accepted before. Should it be refused now, it must not look like another file's fault."""
        try:
            self._fold_in(cursor, item, self.open(item), fold.SCRATCH, at)
        except (Refusal, LoadRefused) as refused:
            reason = f"{item.name}, which was accepted before, can't be folded again: {refused.failure.reason}"
            raise LoadRefused(replace(refused.failure, reason=reason)) from refused

    def _fold_in(
        self, cursor: fold.Cursor, item: WorkItem, part: Part, target: sql.Identifier, at: datetime
    ) -> LoadResult:
        tally = read_whole_documents(part.layout, lambda tally: stage(cursor, item, part, tally, at, self.should_stop))
        if failure := check_rejects(tally.read, tally.rejected) or check_key_kind(cursor, target, part.layout):
            raise LoadRefused(failure, tally.rejects)
        statement = statement_of(item, part, tally)
        fold.seal_stage(cursor, statement)
        applied = fold.apply(cursor, statement, target, at)
        item_prices.note(cursor, part.layout.dataset.full_name, item.file_id, item.as_of, target)
        in_table = fold.sums_of_staged_keys(cursor, target, list(tally.sums))
        rows = count_rows(tally, applied)
        if failure := check_rows(rows) or check_sums(tally.sums, in_table):
            raise LoadRefused(failure, tally.rejects)
        return LoadResult(
            rows,
            tally.sums,
            tuple(tally.rejects),
            notes_of(part.layout, part.table.encoding, tally, is_full=item.is_full),
        )


def stage(
    cursor: fold.Cursor,
    item: WorkItem,
    part: Part,
    tally: Tally,
    at: datetime,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """COPY a part's readable rows into a new stage. Raises `Refusal`, and `LoadStopped` when asked to stop."""
    fold.open_stage(cursor, part.layout.dataset)
    lineage = (str(item.file_id), item.as_of.isoformat(), at.isoformat(), _NO_HASH_YET)
    names = ("_key", *part.layout.columns, "_extra", "_row_number", "_line", *_LINEAGE)
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(fold.STAGE, sql.SQL(", ").join(map(sql.Identifier, names)))
    with cursor.copy(copy) as out:
        for reading in part.readings():
            if tally.read % _ROWS_BETWEEN_LOOKS == 0 and should_stop():
                raise LoadStopped
            if (row := tally.take(reading)) is not None:
                out.write_row((row.key, *row.values, row.extra, row.row_number, row.ordinal, *lineage))


def count_rows(tally: Tally, applied: fold.Applied) -> RowCounts:
    """The accounting of a part: what was read, and what the fold made of it."""
    return RowCounts(
        read=tally.read,
        structural=tally.structural,
        inserted=applied.inserted,
        updated=applied.updated,
        unchanged=tally.accepted - applied.inserted - applied.updated,
        removed=applied.removed,
        rejected=tally.rejected,
    )


def statement_of(item: WorkItem, part: Part, tally: Tally) -> fold.Statement:
    """Absence removes only where the export lists everything and every row of it could be told apart."""
    return fold.Statement(
        dataset=part.layout.dataset,
        columns=part.layout.columns,
        as_of=item.as_of,
        spared=frozenset(tally.bad_keys),
        removes_absent=item.is_full and not tally.has_keyless and tally.accepted > 0,
    )
