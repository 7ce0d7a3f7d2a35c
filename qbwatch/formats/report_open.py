"""A table that was recognised as a report → all that is to be known before its rows are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date

from qbwatch.core.dates import DateOrder
from qbwatch.core.naming import read_file_name
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.records import Reading
from qbwatch.formats.report import read_sections
from qbwatch.formats.report_head import Head, read_preamble
from qbwatch.formats.report_layout import lay_out_report
from qbwatch.formats.report_outline import outline_of
from qbwatch.formats.report_source import Report
from qbwatch.formats.report_statement import read_statement
from qbwatch.formats.report_text import last_footer, with_footer
from qbwatch.formats.table import Row, Table


def open_report(table: Table, head: Head, name: str, order: DateOrder) -> Report:
    """A report's facts stand above its header and below its last row, so all of it is looked through once."""
    layout = lay_out_report(head, order)
    is_statement = layout.dataset.day is None and "date" not in layout.columns
    with closing(table.rows()) as rows:
        below = (row for row in rows if row.line > head.header.line)
        outline = None if is_statement else outline_of(below, layout)
        footer = last_footer(below) if outline is None else outline.footer
    facts = with_footer(head.facts, footer)
    return Report(layout, outline, facts, head.report, _day_of(facts, name), may_be_short=table.format != "csv")


def read_report(report: Report, below: Iterator[Row]) -> Iterator[Reading]:
    """Every row below the header. Raises `Refusal`."""
    return read_statement(report, below) if report.outline is None else read_sections(report, below)


def facts_of_list(table: Table, head: Sequence[Row], header_line: int, name: str, order: DateOrder) -> ReportFacts:
    """What a printed list says of itself: it has lines above its header as a report has, and a footer.

    An exporter's has neither, and a name with a moment, which saves looking for a footer.
    """
    reading = read_file_name(name)
    above = [row for row in head if row.line < header_line]
    if not above and reading.moment is not None:
        return ReportFacts()
    with closing(table.rows()) as rows:
        footer = last_footer(row for row in rows if row.line > header_line)
    return with_footer(read_preamble(above, reading.stem, order), footer)


def _day_of(facts: ReportFacts, name: str) -> date | None:
    """The day of a report of position: what it states, else what its file's name does, else when it was printed."""
    if facts.period is not None:
        return facts.period.last
    if (moment := read_file_name(name).moment) is not None:
        return moment.date()
    return facts.printed_at.date() if facts.printed_at else None
