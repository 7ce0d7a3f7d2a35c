"""The parts of a file: what each table of it is, and a way to read its records as often as needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import Failure
from qbwatch.core.naming import read_file_name
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.layout import Layout, lay_out
from qbwatch.formats.recognise import (
    HEADER_WITHIN,
    NOT_RENAMED,
    Header,
    Renamed,
    matching,
    of_keyword,
    read_header,
    recognise,
)
from qbwatch.formats.records import Reading, read_records
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Opener, Row, Table
from qbwatch.formats.tables import open_tables


@dataclass(frozen=True, slots=True)
class Part:
    """What a file holds for one dataset: how it is written, where its columns go, and what it says of itself."""

    layout: Layout
    table: Table
    facts: ReportFacts = field(default_factory=ReportFacts)

    def readings(self) -> Iterator[Reading]:
        """Every row below the header, from the beginning. Raises `Refusal`."""
        with closing(self.table.rows()) as rows:
            below = (row for row in rows if row.line > self.layout.header.line)
            yield from read_records(below, self.layout)


@dataclass(frozen=True, slots=True)
class Unread:
    """A table that can't be loaded, and why."""

    table: Table
    failure: Failure


def open_parts(
    open_stream: Opener, name: str, order: DateOrder, renamed: Renamed = NOT_RENAMED
) -> tuple[Part | Unread, ...]:
    """Recognise what a file holds, by content first and name second. ``renamed`` is what a person said of its columns.

    Raises `Refusal` when that can be said of none of it.
    """
    tables = open_tables(open_stream)
    if len(tables) == 1:
        return (_recognised(tables[0], name, order, renamed),)
    return tuple(_part_of(table, name, order, renamed) for table in tables)


def open_part(
    open_stream: Opener, name: str, order: DateOrder, sheet: str | None = None, renamed: Renamed = NOT_RENAMED
) -> Part:
    """One part of a file. Raises `Refusal`."""
    for table in open_tables(open_stream):
        if table.sheet == sheet or sheet is None:
            return _recognised(table, name, order, renamed)
    raise Refusal("no_such_sheet", f"it has no sheet {sheet!r} any more", "drop the file into the folder again")


def _part_of(table: Table, name: str, order: DateOrder, renamed: Renamed) -> Part | Unread:
    try:
        return _recognised(table, name, order, renamed)
    except Refusal as refusal:
        return Unread(table, refusal.failure)


def _recognised(table: Table, name: str, order: DateOrder, renamed: Renamed) -> Part:
    if table.format == "iif":
        return _iif(table, order)
    stem = read_file_name(name).stem
    with closing(table.rows()) as rows:
        header = _find_header(rows, stem, renamed)
    dataset = recognise(header, stem)
    header = read_header(header.line, header.written, dataset, renamed=renamed)
    return Part(lay_out(header, dataset, order, table.notes), table, table.facts)


def _iif(table: Table, order: DateOrder) -> Part:
    """A kind of IIF record: its keyword says what it is, and its first row is its header."""
    dataset = of_keyword(table.sheet or "")
    assert dataset is not None, "an IIF file has tables of known kinds alone"
    with closing(table.rows()) as rows:
        first = next(rows)
    header = read_header(first.line, first.cells, dataset, keyword=table.sheet)
    if dataset.key_of(header.columns) is None:
        reason = f"its {table.sheet} rows have no name, by which they are told apart"
        raise Refusal("missing_columns", reason, "export the lists from QuickBooks again")
    return Part(lay_out(header, dataset, order, table.notes), table, table.facts)


def _find_header(rows: Iterator[Row], stem: str, renamed: Renamed) -> Header:
    """The first row that carries a dataset's signature, else the first row with content."""
    head = list(islice(rows, HEADER_WITHIN))
    first: Header | None = None
    for row in head:
        header = read_header(row.line, row.cells, renamed=renamed)
        if matching(header.columns, stem):
            return header
        if first is None and any(header.columns):
            first = header
    if first is None:
        raise Refusal("empty_file", "the file has no row with content", "nothing of it was loaded; export it again")
    return first
