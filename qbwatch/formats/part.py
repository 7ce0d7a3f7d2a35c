"""The parts of a file: what each table of it is, and a way to read its records as often as needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import Failure
from qbwatch.core.naming import read_file_name
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.layout import Layout, lay_out
from qbwatch.formats.recognise import HEADER_WITHIN, Header, matching, read_header, recognise
from qbwatch.formats.records import Reading, read_records
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report import read_report
from qbwatch.formats.report_head import Head, find_report, read_preamble, title_above
from qbwatch.formats.report_layout import lay_out_report
from qbwatch.formats.report_outline import outline_of
from qbwatch.formats.report_source import Report
from qbwatch.formats.report_statement import read_statement
from qbwatch.formats.report_text import last_footer, with_footer
from qbwatch.formats.table import Opener, Row, Table
from qbwatch.formats.tables import open_tables

_BROKEN_OFF = "the report breaks off: its last section has no total, and the others have one"


@dataclass(frozen=True, slots=True)
class Part:
    """What a file holds for one dataset: how it is written, where its columns go, and what it says of itself.

    ``report`` knows how its rows are read when it is a report and no flat table.
    """

    layout: Layout
    table: Table
    facts: ReportFacts = field(default_factory=ReportFacts)
    report: Report | None = None

    def readings(self) -> Iterator[Reading]:
        """Every row below the header, from the beginning. Raises `Refusal`."""
        with closing(self.table.rows()) as rows:
            below = (row for row in rows if row.line > self.layout.header.line)
            if self.report is None:
                yield from read_records(below, self.layout)
            else:
                yield from _read(self.report, below)

    @property
    def is_complete(self) -> bool:
        """False for a report that breaks off in the middle of a section or a transaction."""
        return self.report is None or self.report.is_complete

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it before its rows are read."""
        return () if self.is_complete else (_BROKEN_OFF,)


@dataclass(frozen=True, slots=True)
class Unread:
    """A table that can't be loaded, and why."""

    table: Table
    failure: Failure


def open_parts(open_stream: Opener, name: str, order: DateOrder) -> tuple[Part | Unread, ...]:
    """Recognise what a file holds, by content first and name second.

    Raises `Refusal` when that can be said of none of it.
    """
    tables = open_tables(open_stream)
    if len(tables) == 1:
        return (_recognised(tables[0], name, order),)
    return tuple(_part_of(table, name, order) for table in tables)


def open_part(
    open_stream: Opener, name: str, order: DateOrder, sheet: str | None = None, day: date | None = None
) -> Part:
    """One part of a file. ``day`` is the day of a report of position that states none. Raises `Refusal`."""
    for table in open_tables(open_stream):
        if table.sheet == sheet or sheet is None:
            return _recognised(table, name, order, day)
    raise Refusal("no_such_sheet", f"it has no sheet {sheet!r} any more", "drop the file into the folder again")


def _part_of(table: Table, name: str, order: DateOrder) -> Part | Unread:
    try:
        return _recognised(table, name, order)
    except Refusal as refusal:
        return Unread(table, refusal.failure)


def _recognised(table: Table, name: str, order: DateOrder, day: date | None = None) -> Part:
    stem = read_file_name(name).stem
    with closing(table.rows()) as rows:
        head = list(islice(rows, HEADER_WITHIN))
    header = _find_header(head)
    if matching(header.columns) and title_above(head) is None:
        return _flat(table, header, head, stem, order)
    if (found := find_report(head, stem, order)) is not None:
        moment = read_file_name(name).moment
        return _report(table, found, order, moment.date() if moment else day)
    recognise(header, stem)
    raise AssertionError("unreachable: a header that matches nothing is refused")


def _flat(table: Table, header: Header, head: Sequence[Row], stem: str, order: DateOrder) -> Part:
    dataset = recognise(header, stem)
    layout = lay_out(read_header(header.line, header.written, dataset), dataset, order)
    above = [row for row in head if row.line < header.line]
    if not above:
        return Part(layout, table)
    with closing(table.rows()) as rows:  # a printed list: its last line says when
        footer = last_footer(row for row in rows if row.line > header.line)
    return Part(layout, table, with_footer(read_preamble(above, stem, order), footer))


def _read(report: Report, below: Iterator[Row]) -> Iterator[Reading]:
    return read_statement(report, below) if report.outline is None else read_report(report, below)


def _report(table: Table, head: Head, order: DateOrder, day: date | None) -> Part:
    """A report's facts stand above its header and below its last row, so all of it is looked through once."""
    layout = lay_out_report(head, order)
    is_statement = layout.dataset.day is None and "date" not in layout.columns
    with closing(table.rows()) as rows:
        below = (row for row in rows if row.line > head.header.line)
        outline = None if is_statement else outline_of(below, layout)
        footer = last_footer(below) if outline is None else outline.footer
    facts = with_footer(head.facts, footer)
    report = Report(layout, outline, facts, head.report, _day_of(facts, day), may_be_short=table.format != "csv")
    return Part(layout, table, facts, report)


def _day_of(facts: ReportFacts, day: date | None) -> date | None:
    """The day of a report of position: what it states, else its file's, else when it was printed."""
    if facts.period is not None:
        return facts.period.last
    return day or (facts.printed_at.date() if facts.printed_at else None)


def _find_header(head: Sequence[Row]) -> Header:
    """The first row that carries a dataset's signature, else the first row with content."""
    first: Header | None = None
    for row in head:
        header = read_header(row.line, row.cells)
        if matching(header.columns):
            return header
        if first is None and any(header.columns):
            first = header
    if first is None:
        raise Refusal("empty_file", "the file has no row with content", "nothing of it was loaded; export it again")
    return first
