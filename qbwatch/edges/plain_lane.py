"""The plain lane: a delimited text is read a column at a time and goes by COPY where its rows are needed.

Beside the careful lane (`edges.staging`), which reads row by row and takes ten times as long. Both write the same rows.
This one serves what `formats.plain_text` proves that both read alike, and no row that is to be rejected: a part with
anything else is left to the careful lane as a whole, by `NotPlain`.

Documents go straight into their table where that is empty, and else to the stage. Of a large export of documents that
the table knows, only those go there that differ (`edges.known_documents`).

What reads is a child (`edges.lane_reader`): Postgres takes the rows of one block while the next is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from qbwatch.datasets import Kind
from qbwatch.edges import fold
from qbwatch.edges.fold_few import by_index
from qbwatch.edges.known_documents import KnownDocuments
from qbwatch.edges.lane_reader import Answer, LaneReader
from qbwatch.edges.lane_source import Source
from qbwatch.edges.lane_wire import Task
from qbwatch.edges.stage_rows import RowCopy
from qbwatch.formats.layout import Layout
from qbwatch.formats.plain_text import NotPlain
from qbwatch.formats.row_text import RowText
from qbwatch.formats.tally import Tally


@dataclass(frozen=True, slots=True)
class Text:
    """What is read: a file, how its bytes are written, and where its columns go."""

    source: Source
    encoding: str
    delimiter: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class PlainLane:
    """One attempt to copy a part. ``look`` raises when the load is to stop."""

    copy: RowCopy
    text: Text
    reader: LaneReader
    look: Callable[[], None]

    def fill(self, table: sql.Identifier) -> Tally:
        """All rows into an empty table or a new stage.

        Raises `NotPlain` and `ReaderLost`, with the transaction as broken as may be.
        """
        with self.reader.ask(self._task(sifts=False), self.text.source, self.look) as answer:
            self._pass_on(answer, table)
            tally = answer.told()
        if table == fold.STAGE:
            self._prove_single_keys()
        return tally

    def fill_changed(self, table: sql.Identifier) -> Tally:
        """The documents that the table doesn't hold as they are into a new stage. Raises as `fill` does."""
        known = KnownDocuments(self.copy.cursor, table, [name for _, name in self.text.layout.summed])
        with self.reader.ask(self._task(sifts=True), self.text.source, self.look) as answer:
            answer.tell_known(known.blocks())  # it has begun to read
            known.add_up()
            self._pass_on(answer, fold.STAGE)
            known.note_unstated(answer.unstated())
            tally = answer.told()
        self._prove_single_keys()
        with by_index(self.copy.cursor, table, fold.Staged.CHANGED):
            known.settle()
        return tally

    def _task(self, *, sifts: bool) -> Task:
        text = self.text
        lineage = self.copy.lineage
        return Task(text.layout, text.encoding, text.delimiter, lineage, text.source.content_hash, sifts)

    def _pass_on(self, answer: Answer, table: sql.Identifier) -> None:
        try:
            with self.copy.into(table, RowText(self.text.layout)) as out:
                for rows in answer.rows():
                    out.write(rows)
        except psycopg.errors.UniqueViolation as error:
            raise NotPlain("a key that is stated twice, or documents whose lines don't stand together") from error
        except psycopg.DataError as error:
            raise NotPlain(f"a value that Postgres refuses ({error.sqlstate})") from error

    def _prove_single_keys(self) -> None:
        """A list must not state a key twice, and a document's lines must stand together: each key begins once."""
        query = "SELECT FROM {} WHERE _line = 1 GROUP BY _key HAVING count(*) > 1 LIMIT 1"
        if self.copy.cursor.execute(sql.SQL(query).format(fold.STAGE)).rowcount:
            is_list = self.text.layout.dataset.kind is Kind.LIST
            raise NotPlain("a key that is stated twice" if is_list else "documents whose lines don't stand together")
