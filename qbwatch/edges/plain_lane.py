"""The plain lane: a delimited text goes to Postgres as it is, block by block, and is typed there as a whole.

Beside the careful lane (`edges.staging`), which reads cell by cell in Python and takes ten times as long. Both fill the
same stage with the same rows. This one serves what both are known to read alike: `formats.plain_text` proves that the
bytes fall into the same cells, `edges.plain_sql` that a row's cells have the same values. Single rows in another
notation are read by the careful readers and put back; a part with anything else (a rejected row, a ragged one, a list
that states a key twice) is left to the careful lane as a whole, by `NotPlain`.

A document's lines are numbered by where its first line stands. Not by a window function over the rows as they are
stored: a table isn't stored in the order in which COPY was given its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import psycopg
from psycopg import sql

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RowClass, WorkItem
from qbwatch.datasets import Kind
from qbwatch.edges import fold
from qbwatch.edges.plain_sql import PLAIN_KEY, CellSql, Notation, cell_sql, extra_sql, key_sql
from qbwatch.edges.stage_rows import copy_records
from qbwatch.edges.tables import raw_columns
from qbwatch.formats.keys import KeyReader
from qbwatch.formats.layout import Layout
from qbwatch.formats.part import Part
from qbwatch.formats.plain_text import NotPlain, PlainText
from qbwatch.formats.records import Record, Rejected, Structure, read_row
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row
from qbwatch.formats.tally import Tally

# Not temporary, because only then Postgres reads them with several processes; nobody else ever sees them, because they
# are gone before the transaction ends.
LINES = sql.Identifier("qbwatch", "staged_lines")
DOCUMENTS = sql.Identifier("qbwatch", "staged_documents")
_SETTINGS = {
    "jit": "off",
    "work_mem": "64MB",
    "max_parallel_workers_per_gather": "1",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "min_parallel_table_scan_size": "1MB",
}
_ODD_ROWS_SERVED = 20_000  # more of them, and reading with care from the start is the shorter way


@dataclass(frozen=True, slots=True)
class PlainLane:
    """One attempt to stage a part. ``look`` raises when the load is to stop."""

    cursor: fold.Cursor
    item: WorkItem
    part: Part
    at: datetime
    order: DateOrder
    look: Callable[[], None]

    def stage(self, text: PlainText) -> Tally:
        """Fill a new stage; it is sealed then. Raises `NotPlain`, with the transaction as broken as it may be."""
        self.look()
        for name, value in _SETTINGS.items():
            self._run(f"SET LOCAL {name} = '{value}'")
        self._copy(text)
        self.look()
        self._number_documents()
        tally = self._typed_as(Notation(self.order, self._separator()), text)
        self._run("DROP TABLE {lines}, {documents}")
        self.look()
        return tally

    @property
    def _layout(self) -> Layout:
        return self.part.layout

    def _copy(self, text: PlainText) -> None:
        names = [f"c{position}" for position in range(len(self._layout.header.written))]
        self._run("DROP TABLE IF EXISTS {lines}, {documents}")
        columns = ", ".join(f'{name} text COLLATE "C"' for name in names)
        self._run("CREATE UNLOGGED TABLE {lines} (n bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000), " + columns + ")")
        given = ", ".join(names)
        copy = sql.SQL(
            "COPY {lines} (" + given + ") FROM STDIN (FORMAT csv, DELIMITER {delimiter}, ENCODING {codec}, "
            "FORCE_NULL (" + given + "))"
        ).format(lines=LINES, delimiter=sql.Literal(text.delimiter.decode()), codec=sql.Literal(text.codec))
        try:
            with self.cursor.copy(copy) as out:
                for block in text.blocks():
                    self.look()
                    out.write(block)
        except psycopg.DataError as error:
            raise NotPlain(str(error)) from error

    def _number_documents(self) -> None:
        """Where each document begins; their lines must stand together. A list must not state a key twice."""
        self._run(
            f"CREATE UNLOGGED TABLE {{documents}} AS SELECT *, {PLAIN_KEY} AS is_plain_key FROM ("
            f"SELECT {key_sql(self._layout)} AS key, min(n) AS first, max(n) AS last, count(*) AS lines "
            "FROM {lines} GROUP BY 1) AS each"
        )
        is_list = self._layout.dataset.kind is Kind.LIST
        wrong = "lines > 1" if is_list else "last - first + 1 > lines"
        if self._run("SELECT FROM {documents} WHERE key IS NOT NULL AND " + wrong + " LIMIT 1").rowcount:
            raise NotPlain("a key that is stated twice" if is_list else "documents whose lines don't stand together")

    def _separator(self) -> str:
        """How the first date in the file is written."""
        kinds = self._layout.dataset.columns
        dates = [f"c{cell.position}" for cell in self._layout.cells if kinds.get(cell.column) == "date"]
        if not dates:
            return "-"
        first = f"coalesce({', '.join(dates)})"
        found = self._run(f"SELECT {first} FROM {{lines}} WHERE {first} IS NOT NULL LIMIT 1").fetchone()
        marks = found[0][2:3] if found else "-"
        return marks if marks in ("-", "/", ".") else ""

    def _typed_as(self, notation: Notation, text: PlainText) -> Tally:
        """With bare casts, and should one of them fail, again with guarded ones."""
        self._run("SAVEPOINT qbwatch_typed")
        try:
            return self._typed(notation, text)
        except psycopg.DataError:
            self._run("ROLLBACK TO SAVEPOINT qbwatch_typed")
        try:
            return self._typed(replace(notation, is_guarded=True), text)
        except psycopg.DataError as error:
            raise NotPlain(str(error)) from error

    def _typed(self, notation: Notation, text: PlainText) -> Tally:
        cells = cell_sql(self._layout, notation, text)
        self._run("DROP TABLE IF EXISTS {stage}")
        self._run(f"SET LOCAL datestyle = '{notation.date_style}'")
        read = self._type(cells)
        self._run("SET LOCAL datestyle TO DEFAULT")
        tally = Tally(self._layout, read=read)
        odd = self._put_back_odd_rows(tally)
        plain = read - len(odd)
        tally.accepted += plain
        if plain:
            tally.row_classes[RowClass.DETAIL] += plain
        self._run(f"SET LOCAL datestyle = '{notation.date_style}'")
        self._add_sums(cells, odd, tally)
        self._run("SET LOCAL datestyle TO DEFAULT")
        return tally

    def _type(self, cells: CellSql) -> int:
        """Type and hash all rows into a new stage. The number of a row that isn't plain is negative."""
        layout = self._layout
        is_list = layout.dataset.kind is Kind.LIST
        own = dict(zip(cells.columns, (f"v{n}" for n in range(len(cells.values))), strict=True))
        values: dict[str, str] = {
            "_key": "coalesce(key, '')",
            **own,
            "_extra": "extra",
            "_row_number": f"CASE WHEN {' AND '.join(cells.conditions)} THEN n ELSE -n END::integer",
            "_line": "line",
            "_file_id": "{file_id}",
            "_as_of": "{as_of}",
            "_loaded_at": "{at}",
            "_row_hash": "{hash}",
        }
        chosen = (
            sql.SQL(values.get(name, "NULL") + "::" + kind.split(" ", 1)[0]).format(**self._constants(own))
            + sql.SQL(" AS {}").format(sql.Identifier(name))
            for name, kind in raw_columns(layout.dataset).items()
        )
        return self._run(
            "CREATE TEMP TABLE {stage} ON COMMIT DROP AS SELECT {chosen} FROM (" + self._rows(cells) + ") AS x",
            chosen=sql.SQL(", ").join(chosen),
            extra=extra_sql(layout) if is_list else sql.SQL("jsonb_strip_nulls({})").format(extra_sql(layout)),
        ).rowcount

    def _constants(self, own: dict[str, str]) -> dict[str, sql.Composable]:
        is_list = self._layout.dataset.kind is Kind.LIST
        return {
            "file_id": sql.Literal(self.item.file_id),
            "as_of": sql.Literal(self.item.as_of.isoformat()),
            "at": sql.Literal(self.at.isoformat()),
            "hash": sql.Literal(fold.NO_HASH_YET) if is_list else self._hash(own),
        }

    def _rows(self, cells: CellSql) -> str:
        """The staged lines with key, ordinal and typed values, each computed once.

        The clock is there for nothing but its changing: it keeps the planner from merging this query into the one
        around it, which would cast a cell as often as it is named. (An OFFSET would keep it from going parallel.)
        """
        key = key_sql(self._layout)
        values = "".join(f", {value} AS v{n}" for n, value in enumerate(cells.values)) + ", clock_timestamp() AS fence"
        line = "1" if self._layout.dataset.kind is Kind.LIST else "coalesce(l.n - d.first + 1, 0)::integer"
        return (
            f"SELECT l.*, {{extra}} AS extra, d.key, d.is_plain_key, {line} AS line{values} "
            f"FROM {{lines}} AS l LEFT JOIN {{documents}} AS d ON d.key = {key}"
        )

    def _hash(self, own: dict[str, str]) -> sql.Composed:
        stored = self._layout.dataset.stored
        return fold.hash_of(sql.SQL(each) for each in (*(own.get(n, f"NULL::{t}") for n, t in stored.items()), "extra"))

    def _put_back_odd_rows(self, tally: Tally) -> list[int]:
        """Rows that aren't plain, read with care and written over."""
        query = "SELECT -_row_number, _key, _line FROM {stage} WHERE _row_number < 0 ORDER BY 1 DESC LIMIT "
        found = self._run(f"{query} {_ODD_ROWS_SERVED + 1}").fetchall()
        if len(found) > _ODD_ROWS_SERVED:
            raise NotPlain("many rows in another notation")
        if not found:
            return []
        by_number = {number: (key, line) for number, key, line in found}
        texts = sql.SQL("SELECT * FROM {} WHERE n = ANY(%s) ORDER BY n").format(LINES)
        records: list[Record] = []
        for number, *cells in self.cursor.execute(texts, [list(by_number)]).fetchall():
            self._take(Row(0, [cell or "" for cell in cells]), number, tally, by_number[number], records)
        self._run("DELETE FROM {stage} WHERE _row_number < 0")
        copy_records(self.cursor, self.item, self._layout, self.at, records)
        return list(by_number)

    def _take(self, row: Row, number: int, tally: Tally, expected: tuple[str, int], records: list[Record]) -> None:
        try:
            reading = read_row(row, number, self._layout, KeyReader(self._layout))
        except Refusal as refusal:
            raise NotPlain(refusal.failure.reason) from refusal
        match reading:
            case Rejected():
                raise NotPlain("a row that can't be read")
            case Structure():
                tally.structural += 1
                tally.row_classes[reading.row_class] += 1
            case Record():
                key, line = expected
                if reading.key != key:
                    raise NotPlain("a key that needs care")
                tally.accept(reading)
                tally.row_classes[RowClass.DETAIL] += 1
                records.append(replace(reading, ordinal=line))

    def _add_sums(self, cells: CellSql, odd: list[int], tally: Tally) -> None:
        """What the file states, from its texts: not from the typed rows, which it is to be compared with."""
        if not tally.sums:
            return
        by_column = dict(zip(cells.columns, cells.values, strict=True))
        sums = ", ".join(f"coalesce(sum({by_column[name]}), 0)" for name in tally.sums)
        query = sql.SQL("SELECT " + sums + " FROM {} WHERE n <> ALL(%s)").format(LINES)
        row = self.cursor.execute(query, [odd]).fetchone()
        assert row is not None
        for name, total in zip(tally.sums, row, strict=True):
            tally.sums[name] += Decimal(total)

    def _run(self, query: str, **parts: sql.Composable) -> fold.Cursor:
        # Nothing that a file says reaches this text: the columns of its lines are numbered.
        composed = sql.SQL(query).format(lines=LINES, documents=DOCUMENTS, stage=fold.STAGE, **parts)
        return self.cursor.execute(composed)
