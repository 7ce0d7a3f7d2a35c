"""One part through both lanes: what each puts on the stage, so that the two can be compared."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import ItemState, WorkItem
from qbwatch.edges import fold
from qbwatch.edges.staging import Staging
from qbwatch.formats.notes import notes_of
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.plain_text import NotPlain
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally

AT = datetime(2025, 4, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """Counts, sums, rejects and notes, and every staged row as text; or the code of what the part was refused with."""

    refused: str | None = None
    tally: tuple[Any, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lanes:
    """Both lanes over one connection; nothing of a trial is kept."""

    connection: psycopg.Connection[Any]
    order: DateOrder = DateOrder.MDY

    def careful(self, name: str, data: bytes) -> Outcome:
        return self._trial(name, data, plainly=False)

    def plain(self, name: str, data: bytes) -> Outcome:
        """Raises `NotPlain` where the plain lane leaves the part to the careful one."""
        return self._trial(name, data, plainly=True)

    def same(self, name: str, data: bytes) -> bool:
        """Whether the plain lane served the part; then it must have come to the same."""
        try:
            plain = self.plain(name, data)
        except NotPlain:
            return False
        assert plain == self.careful(name, data)
        return True

    def _trial(self, name: str, data: bytes, *, plainly: bool) -> Outcome:
        try:
            part = open_part(lambda: io.BytesIO(data), name, self.order)
            with self._undone() as cursor:
                staging = Staging(cursor, self.order, AT)
                item = _item(name, data)
                if plainly:
                    tally, _ = staging.fill_plainly(fold.STAGE, item, part, lambda: io.BytesIO(data))
                else:
                    tally = staging.fill_with_care(item, part)
                return Outcome(None, _told(part, tally), _staged(cursor))
        except Refusal as refusal:
            return Outcome(refusal.failure.code)

    @contextmanager
    def _undone(self) -> Iterator[psycopg.Cursor[Any]]:
        try:
            yield self.connection.cursor()
        finally:
            self.connection.rollback()


def _item(name: str, data: bytes) -> WorkItem:
    return WorkItem(1, 1, None, None, "00", len(data), name, AT, False, ItemState.LOADING, 1, AT)


def _told(part: Part, tally: Tally) -> tuple[Any, ...]:
    counts = (tally.read, tally.structural, tally.accepted, tally.rejected, tally.has_keyless, tally.bad_keys)
    notes = notes_of(part.layout, part.table.encoding, tally, is_full=True)
    return (counts, {name: str(total) for name, total in tally.sums.items()}, dict(tally.row_classes),
            tally.rejects, tally.damaged, notes)  # fmt: skip


def _staged(cursor: psycopg.Cursor[Any]) -> tuple[str, ...]:
    """Each row as JSON, numbers with all their digits."""
    query = "SELECT to_jsonb(s)::text || s._row_hash FROM pg_temp.qbwatch_stage AS s ORDER BY s._row_number"
    return tuple(text for (text,) in cursor.execute(query).fetchall())
