"""Load one part in one transaction: stage its readable rows, fold them in at their place, account for everything.

A part that is newer than all of its dataset is folded straight into the raw table. A late one (or one whose earlier
version must be taken out) makes the fold start again (`edges.refolding`): the same outcome whatever the
order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import PurePosixPath

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.accounting import check_rejects, check_rows, check_sums
from qbwatch.core.dates import DateOrder
from qbwatch.core.holds import NAME_DISAGREES, NO_ROWS
from qbwatch.core.model import Failure, LoadResult, QbwatchError, Reject, RowCounts, WorkItem
from qbwatch.core.period import ALL_DATES, Period
from qbwatch.datasets import Kind
from qbwatch.edges import fold, item_prices, staging
from qbwatch.edges.fold_few import by_index
from qbwatch.edges.fold_period import staged_days
from qbwatch.edges.fold_sums import sums_of_stated
from qbwatch.edges.key_kinds import check_key_kind
from qbwatch.edges.postgres import driver
from qbwatch.edges.raw_names import RAW_SCHEMA, raw_table
from qbwatch.edges.staging import TRIES, LoadStopped, Staging
from qbwatch.edges.vault import Vault, VaultError
from qbwatch.edges.workbook_reader import WorkbookReader
from qbwatch.formats.notes import notes_of
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.plain_text import NotPlain
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally
from qbwatch.moments import Moment, passing

__all__ = ["LoadRefused", "LoadStopped", "Loader", "count_rows", "statement_of"]


class LoadRefused(QbwatchError):
    """The part can't be loaded as it is, and everything of it is rolled back; `failure` and `rejects` say why."""

    def __init__(self, failure: Failure, rejects: Sequence[Reject] = ()) -> None:
        super().__init__(failure.reason, failure.hint)
        self.failure = failure
        self.rejects = tuple(rejects)


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads parts from the vault over one connection; the caller owns the transaction.

    ``verifies_copies``: each copy is hashed before it is read, where the vault itself is in question. ``zone`` is the
    office's, whose day a report of position speaks for that states none. ``raw_schema`` is where the raw tables lie.
    """

    vault: Vault
    order: DateOrder
    should_stop: Callable[[], bool] = lambda: False
    verifies_copies: bool = False
    zone: tzinfo = UTC
    raw_schema: str = RAW_SCHEMA

    def open(self, item: WorkItem, *, surmises: bool = False) -> Part:
        """The part of a work item, from its copy in the vault. Raises `Refusal`, and `VaultError`.

        Once a person accepted that name and content disagree, the name has no say in what the part is. ``surmises``:
        its encoding may be left to be proven by whoever reads it all; see `Table`.
        """
        if self.verifies_copies:
            try:
                self.vault.check(item.content_hash)
            except VaultError as lost:
                what = f"the copy of {item.name} in the vault is missing or damaged ({item.content_hash[:16]}…)"
                raise VaultError(replace(lost.failure, reason=what)) from lost
        name = item.name.rsplit("/", 1)[-1]
        if item.accepts(NAME_DISAGREES):
            name = "accepted" + PurePosixPath(name).suffix
        open_book = WorkbookReader(self._look)
        renamed = item.answers.get("renamed", {})
        copy = partial(self.vault.open, item.content_hash)
        part = open_part(copy, name, self.order, item.sheet, open_book, renamed, surmises=surmises)
        return part.on(item.as_of.astimezone(self.zone).date())

    def _look(self) -> None:
        """A workbook may take long to open; a stop needn't wait for it. Raises `LoadStopped`."""
        if self.should_stop():
            raise LoadStopped

    def append(self, connection: Connection, item: WorkItem, at: datetime) -> LoadResult:
        """Fold a part that is newer than everything in its dataset straight into the raw table."""
        cursor, part = driver(connection).cursor(), self._opened(item)
        try:
            return self.fold_in(cursor, item, part, self._table_of(part), at)
        except NotPlain:
            surmised, part = part.table.encoding, self.open(item)
            is_plain = part.table.encoding != surmised
            return self.fold_in(cursor, item, part, self._table_of(part), at, is_plain=is_plain)

    def _opened(self, item: WorkItem) -> Part:
        """The part; of a large text the beginning alone is read, unless there is trouble with that."""
        if item.size_bytes < staging.LARGE:
            return self.open(item)
        try:
            return self.open(item, surmises=True)
        except (Refusal, UnicodeError):
            return self.open(item)

    def _table_of(self, part: Part) -> sql.Identifier:
        return raw_table(part.layout.dataset, self.raw_schema)

    def stage(self, cursor: fold.Cursor, item: WorkItem, part: Part, at: datetime) -> fold.Statement:
        """A new stage with all of the part's rows; returns what it states."""
        tally, _ = self._fill(cursor, item, part, fold.STAGE, at)
        return statement_of(item, part, tally)

    def fold_in(
        self, cursor: fold.Cursor, item: WorkItem, part: Part, target: sql.Identifier, at: datetime, *,
        is_plain: bool = True,
    ) -> LoadResult:  # fmt: skip
        """Fold a part into a table that holds everything older, and account for all of it. ``is_plain``: it may be.

        Raises `Refusal`, `LoadRefused`, `VaultError` and `LoadStopped`, and `NotPlain` as `Staging.fill_for` does.
        """
        tally, staged = self._fill(cursor, item, part, target, at, is_plain=is_plain)
        if failure := check_rejects(tally.read, tally.rejected) or check_key_kind(cursor, target, part.layout):
            raise LoadRefused(failure, tally.rejects)
        statement = statement_of(item, part, tally)
        passing(Moment.STAGED)
        with by_index(cursor, target, staged):
            if staged is fold.Staged.NOWHERE:
                applied = fold.Applied(tally.accepted, 0, 0)
            else:
                applied = fold.apply(cursor, statement, target, at, staged)
            passing(Moment.FOLDED)
            self._note_prices(cursor, part, item, target)
            in_table = sums_of_stated(cursor, target, list(tally.sums), staged)
        rows = count_rows(tally, applied)
        if failure := check_rows(rows) or check_sums(tally.sums, in_table):
            raise LoadRefused(failure, tally.rejects)
        return LoadResult(
            rows,
            tally.sums,
            tuple(tally.rejects),
            _notes(item, part, tally),
            spoken_for(cursor, statement),
            report=part.title,
        )

    def _note_prices(self, cursor: fold.Cursor, part: Part, item: WorkItem, target: sql.Identifier) -> None:
        if part.layout.dataset.full_name == item_prices.ITEMS:
            item_prices.note(cursor, item.file_id, item.as_of, target, self.raw_schema)

    def _fill(
        self, cursor: fold.Cursor, item: WorkItem, part: Part, target: sql.Identifier, at: datetime, *,
        is_plain: bool = True,
    ) -> tuple[Tally, fold.Staged]:  # fmt: skip
        filling = Staging(cursor, self.order, at, self.should_stop, tries=TRIES if is_plain else 0)
        return filling.fill_for(target, item, part, lambda: self.vault.open(item.content_hash))


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
    """Absence removes only where the part lists everything, or a report's whole period, and every row of it could be
    told apart. One without any row removes nothing unless a person said so."""
    is_report = part.layout.dataset.kind is Kind.PERIOD
    has_say = tally.accepted > 0 or item.accepts(NO_ROWS)
    return fold.Statement(
        dataset=part.layout.dataset,
        columns=part.layout.columns,
        as_of=item.as_of,
        spared=frozenset(tally.bad_keys),
        removes_absent=(item.is_full or is_report) and not tally.has_keyless and has_say,
        period=ALL_DATES if part.facts.is_all_dates else part.facts.period,
    )


def spoken_for(cursor: fold.Cursor, statement: fold.Statement) -> Period | None:
    """The days for which a report speaks; None for any other part, and for a report of neither period nor rows."""
    if statement.dataset.kind is not Kind.PERIOD:
        return None
    return statement.period or staged_days(cursor, fold.STAGE)


def _notes(item: WorkItem, part: Part, tally: Tally) -> tuple[str, ...]:
    is_emptying = tally.accepted == 0 and item.accepts(NO_ROWS)
    is_full = item.is_full and not is_emptying
    notes = (*part.notes, *notes_of(part.layout, part.table.encoding, tally, is_full=is_full))
    if is_emptying:
        return (*notes, "it has no row, and a person accepted that: what it speaks for was emptied")
    return notes if tally.read > tally.structural else (*notes, "0 rows")
