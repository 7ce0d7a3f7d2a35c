"""The book of alerts in the state folder: kept there while Postgres doesn't take it, and folded into Postgres later."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from qbwatch.core.outbox import Book
from qbwatch.edges.incidents import SPOOL, read_spool, write_book, write_spool
from qbwatch.edges.postgres import DATABASE_ERRORS


@dataclass(slots=True)
class Spool:
    """The spool of one announcer in the folder ``state``.

    What it holds is written over what Postgres has, so it must never be the older of the two.
    """

    state: Path
    _known: Book | None = None  # what lies there though Postgres needs none of it: the folder doesn't let go of it

    def read(self) -> Book | None:
        """The book that Postgres hasn't got yet; None when there is none."""
        book = read_spool(self.state)
        return None if book == self._known else book

    def keep(self, engine: Engine | None, book: Book) -> None:
        """Keep the book in Postgres, else in the state folder; raises OSError when neither takes it.

        Where one lies in the folder and Postgres is back before it was asked for it, it is brought up to date first:
        the process may end in between.
        """
        if engine is None or not self._is_kept_by(engine, book):
            write_spool(self.state, book)
            self._known = None

    def drop(self) -> None:
        """Postgres has it all now. A folder that is read-only keeps its spool, which counts no more."""
        try:
            if (self.state / SPOOL).exists():  # a read-only folder complains even where there is nothing to remove
                (self.state / SPOOL).unlink()
            self._known = None
        except OSError:
            self._known = read_spool(self.state)

    def _is_kept_by(self, engine: Engine, book: Book) -> bool:
        with suppress(OSError):
            if (self.state / SPOOL).exists():
                write_spool(self.state, book)
        try:
            with engine.begin() as connection:
                write_book(connection, book)
        except DATABASE_ERRORS:
            return False
        self.drop()
        return True
