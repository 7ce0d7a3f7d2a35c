"""What a table holds before a large export is folded in, of which only those documents are sent that it doesn't hold.

The reader is told its documents, and sifts them (`formats.sieve`). While it reads, the table's money is added up: what
the export states comes to that but for the documents that differ, which are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from qbwatch.edges.fold import STAGE, UNSTATED, Cursor
from qbwatch.edges.fold_sums import REST
from qbwatch.edges.temporary import open_empty

_BLOCK = 1 << 22  # bytes that are told at once


class KnownDocuments:
    """The documents of a table at one moment; ``columns`` are those of money that are added up."""

    def __init__(self, cursor: Cursor, table: sql.Identifier, columns: Sequence[str]) -> None:
        self._cursor = cursor
        self._table = table
        self._columns = [sql.Identifier(name) for name in columns]

    def blocks(self) -> Iterator[bytes]:
        """Key and digest of each document, as COPY's binary format has them. Reads the whole table."""
        self._cursor.execute("SET LOCAL work_mem = '64MB'")
        query = """COPY (SELECT _key, bit_xor(_row_hash) FROM {} GROUP BY _key)
                   TO STDOUT (FORMAT binary, ENCODING 'UTF8')"""
        block = bytearray()
        with self._cursor.copy(sql.SQL(query).format(self._table)) as out:
            for row in out:
                block += row
                if len(block) >= _BLOCK:
                    yield bytes(block)
                    block.clear()
        if block:
            yield bytes(block)

    def add_up(self) -> None:
        """What the table's money comes to. Reads the whole table."""
        if not self._columns:
            return
        open_empty(self._cursor, REST, self._sums("{} numeric"))
        self._run("INSERT INTO {rest} SELECT {sums} FROM {table} AS t", sums=self._sums("sum(t.{})"))

    def note_unstated(self, lines: Iterable[bytearray]) -> None:
        """These documents aren't stated at all."""
        open_empty(self._cursor, UNSTATED, sql.SQL('_key text COLLATE "C"'))
        copy = sql.SQL("COPY {} FROM STDIN (ENCODING 'UTF8')").format(UNSTATED)
        with self._cursor.copy(copy) as out:
            for block in lines:
                out.write(block)

    def settle(self) -> None:
        """Once the stage is filled and not yet folded in: of what was added up, only what stays as it is counts."""
        self._run("ANALYZE {stage} (_key, _line)")
        self._run("ANALYZE {unstated}")
        if self._columns:
            self._run(
                """UPDATE {rest} AS r SET ({names}) = (
                   SELECT {sums} FROM {table} AS t
                   JOIN (SELECT _key FROM {stage} UNION SELECT _key FROM {unstated}) AS k ON k._key = t._key)""",
                names=sql.SQL(", ").join(self._columns),
                sums=self._sums("coalesce(r.{0}, 0) - coalesce(sum(t.{0}), 0)"),
            )

    def _sums(self, term: str) -> sql.Composable:
        return sql.SQL(", ").join(sql.SQL(term).format(name) for name in self._columns)

    def _run(self, query: str, **parts: sql.Composable) -> None:
        composed = sql.SQL(query).format(rest=REST, unstated=UNSTATED, stage=STAGE, table=self._table, **parts)
        self._cursor.execute(composed)
