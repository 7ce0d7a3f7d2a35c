"""The plain lane: a delimited text is read a column at a time and goes by COPY where its rows are needed.

Beside the careful lane (`edges.staging`), which reads row by row and takes ten times as long. Both write the same rows.
This one serves what `formats.plain_text` proves that both read alike, and no row that is to be rejected: a part with
anything else is left to the careful lane as a whole, by `NotPlain`.

Documents go straight into their table where that is empty, and else to the stage. Of a large export of documents that
the table knows, only those go there that differ (`edges.known_documents`).

Postgres is a process of its own: it takes the rows of one block while the next is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from qbwatch.datasets import Kind
from qbwatch.edges import fold
from qbwatch.edges.known_documents import KnownDocuments
from qbwatch.edges.stage_rows import RowCopy
from qbwatch.formats.columns import ColumnReader, Rows
from qbwatch.formats.layout import Layout
from qbwatch.formats.plain_text import NotPlain, PlainText
from qbwatch.formats.row_text import RowText, finished
from qbwatch.formats.tally import Tally


@dataclass(frozen=True, slots=True)
class PlainLane:
    """One attempt to copy a part. ``look`` raises when the load is to stop."""

    copy: RowCopy
    layout: Layout
    look: Callable[[], None]

    def fill(self, text: PlainText, table: sql.Identifier) -> Tally:
        """All rows into an empty table or a new stage. Raises `NotPlain`, with the transaction as broken as may be."""
        tally = self._copy(text, table, lambda blocks: blocks)
        if table == fold.STAGE:
            self._prove_single_keys()
        return tally

    def fill_changed(self, text: PlainText, known: KnownDocuments) -> Tally:
        """The documents that aren't known as they are into a new stage. Raises `NotPlain`."""
        tally = self._copy(text, fold.STAGE, known.changed)
        self._prove_single_keys()
        if not known.settle(self.copy.cursor):
            raise NotPlain("documents whose lines don't stand together")
        return tally

    def _copy(self, text: PlainText, table: sql.Identifier, sift: Callable[[Iterable[Rows]], Iterable[Rows]]) -> Tally:
        tally, written = Tally(self.layout), RowText(self.layout)
        lineage = self.copy.lineage
        try:
            with self.copy.into(table, written) as out:
                for rows in sift(self._read(text, ColumnReader(self.layout, text.delimiter.decode(), tally, written))):
                    out.write(finished(rows.said, rows.numbers, rows.digests, lineage))
        except psycopg.errors.UniqueViolation as error:
            raise NotPlain("a key that is stated twice, or documents whose lines don't stand together") from error
        except psycopg.DataError as error:
            raise NotPlain(str(error)) from error
        return tally

    def _read(self, text: PlainText, reader: ColumnReader) -> Iterator[Rows]:
        for block in text.blocks():
            self.look()
            yield reader.read(block)

    def _prove_single_keys(self) -> None:
        """A list must not state a key twice, and a document's lines must stand together: each key begins once."""
        query = "SELECT FROM {} WHERE _line = 1 GROUP BY _key HAVING count(*) > 1 LIMIT 1"
        if self.copy.cursor.execute(sql.SQL(query).format(fold.STAGE)).rowcount:
            is_list = self.layout.dataset.kind is Kind.LIST
            raise NotPlain("a key that is stated twice" if is_list else "documents whose lines don't stand together")
