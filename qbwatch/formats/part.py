"""The parts of a file: what each table of it is, and a way to read its records as often as needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import NoReturn

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import Failure
from qbwatch.core.naming import read_file_name
from qbwatch.datasets import Kind
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.layout import Layout, lay_out
from qbwatch.formats.recognise import (
    HEADER_WITHIN,
    NOT_RENAMED,
    Header,
    Remembered,
    Renamed,
    mapped,
    matching,
    named_by,
    of_keyword,
    read_header,
    recognise,
)
from qbwatch.formats.records import Reading, read_records
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_head import find_report, title_above
from qbwatch.formats.report_open import facts_of_list, open_report, read_report
from qbwatch.formats.report_source import Report
from qbwatch.formats.table import WORKBOOKS, Opener, OpenWorkbook, Row, Table
from qbwatch.formats.tables import open_tables
from qbwatch.formats.torn import habit_of
from qbwatch.formats.workbook import open_workbook

MAPPABLE = frozenset({"missing_columns", "unknown_layout", "ambiguous"})
"""Codes of refusals that a mapping of renamed columns may lift."""
_BROKEN_OFF = "the report breaks off: its last section has no total, and the others have one"


@dataclass(frozen=True, slots=True)
class Part:
    """What a file holds for one dataset: how it is written, where its columns go, and what it says of itself.

    ``report`` knows how its rows are read when it is a report and no flat table. ``renamed`` are columns that stand
    under another header, as a person said.
    """

    layout: Layout
    table: Table
    facts: ReportFacts = field(default_factory=ReportFacts)
    report: Report | None = None
    renamed: Renamed = field(default_factory=dict)

    def readings(self) -> Iterator[Reading]:
        """Every row below the header, from the beginning. Raises `Refusal`."""
        with closing(self.table.rows()) as rows:
            below = (row for row in rows if row.line > self.layout.header.line)
            yield from read_records(below, self.layout) if self.report is None else read_report(self.report, below)

    @property
    def is_complete(self) -> bool:
        """False for a report that breaks off in the middle of a section or a transaction."""
        return self.report is None or self.report.is_complete

    @property
    def title(self) -> str | None:
        """Which report it is, where it is one and that is known."""
        return None if self.report is None else self.report.title

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it beside what reading its rows tells."""
        told = ", ".join(f"{column} from {new!r}" for column, new in self.renamed.items())
        mapping = (f"columns that were renamed, as a person said: {told}",) if told else ()
        of_report = () if self.report is None else self.report.notes
        return (*mapping, *of_report, *(() if self.is_complete else (_BROKEN_OFF,)))

    def on(self, day: date) -> Part:
        """The same part, for the case that it is a report of position which states no day: ``day`` is its file's."""
        if self.report is None or self.report.day is not None:
            return self
        return replace(self, report=replace(self.report, day=day))


@dataclass(frozen=True, slots=True)
class Unread:
    """A table that can't be loaded, and why."""

    table: Table
    failure: Failure


def open_parts(
    open_stream: Opener,
    name: str,
    order: DateOrder,
    open_book: OpenWorkbook = open_workbook,
    remembered: Remembered = (),
) -> tuple[Part | Unread, ...]:
    """Recognise what a file holds, by content first and name second. ``remembered`` is what a person said of columns
    that were renamed in earlier files.

    Raises `Refusal` when that can be said of none of it.
    """
    tables = open_tables(open_stream, open_book)
    found = tuple(_by_mapping(_part_of(table, name, order), name, order, remembered) for table in tables)
    if len(found) == 1 and isinstance(found[0], Unread):
        return (_recognised(tables[0], name, order, NOT_RENAMED),)
    return found


def open_part(
    open_stream: Opener,
    name: str,
    order: DateOrder,
    sheet: str | None = None,
    open_book: OpenWorkbook = open_workbook,
    renamed: Renamed = NOT_RENAMED,
    *,
    surmises: bool = False,
) -> Part:
    """One part of a file; ``surmises`` as in `open_tables`. Raises `Refusal`."""
    for table in open_tables(open_stream, open_book, surmises=surmises):
        if table.sheet == sheet or sheet is None:
            return _recognised(table, name, order, renamed)
    raise Refusal("no_such_sheet", f"it has no sheet {sheet!r} any more", "drop the file into the folder again")


def _part_of(table: Table, name: str, order: DateOrder) -> Part | Unread:
    try:
        return _recognised(table, name, order, NOT_RENAMED)
    except Refusal as refusal:
        return Unread(table, refusal.failure)


def _by_mapping(found: Part | Unread, name: str, order: DateOrder, remembered: Remembered) -> Part | Unread:
    """The same table with its columns as a person mapped them once, where it has those headers."""
    if not remembered or (isinstance(found, Unread) and found.failure.code not in MAPPABLE):
        return found
    with closing(found.table.rows()) as rows:
        headers = [row.cells for row in islice(rows, HEADER_WITHIN)]
    for dataset, renamed in remembered:
        is_other = isinstance(found, Part) and found.layout.dataset.full_name != dataset
        if is_other or not any(mapped(cells, renamed) for cells in headers):
            continue
        try:
            part = _recognised(found.table, name, order, renamed)
        except Refusal:
            continue
        if part.renamed and part.layout.dataset.full_name == dataset:
            return part
    return found


def _recognised(table: Table, name: str, order: DateOrder, renamed: Renamed) -> Part:
    """A title above the header tells a report; else the signature of a list or a document, else that of a report."""
    if table.format == "iif":
        return _iif(table, order)
    stem = stem_of(table, name)
    with closing(table.rows()) as rows:
        head = list(islice(rows, HEADER_WITHIN))
    header = _find_header(head, stem, renamed) or _headless(table)
    is_flat = matching(header.columns, stem) and title_above(head) is None
    if not is_flat and (found := find_report(head, stem, order, renamed)) is not None:
        report = open_report(table, found, name, order)
        taken = mapped(report.layout.header.written, renamed)
        return Part(report.layout, table, report.facts, report, taken)
    dataset = recognise(header, stem)
    header = read_header(header.line, header.written, dataset, renamed=renamed)
    is_printed = dataset.kind is Kind.LIST or header.line > 1
    facts = facts_of_list(table, head, header.line, name, order) if is_printed else ReportFacts()
    taken = mapped(header.written, renamed)
    layout = lay_out(header, dataset, order, table.notes)
    if table.format == "csv":
        below = [row.cells for row in head if row.line > header.line]
        layout = replace(layout, habit=habit_of(below, len(header.written), layout.width))
    return Part(layout, table, facts, renamed=taken)


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


def stem_of(table: Table, name: str) -> str:
    """What names the dataset of a table: a workbook's sheet by itself, where it does, and else the file."""
    sheet = read_file_name(f"{table.sheet}.").stem if table.sheet and table.format in WORKBOOKS else ""
    return sheet if named_by(sheet) else read_file_name(name).stem


def _find_header(head: Sequence[Row], stem: str, renamed: Renamed) -> Header | None:
    """The first row that carries a dataset's signature, else the first row with content; None without one."""
    first: Header | None = None
    for row in head:
        header = read_header(row.line, row.cells, renamed=renamed)
        if matching(header.columns, stem):
            return header
        if first is None and any(header.columns):
            first = header
    return first


def _headless(table: Table) -> NoReturn:
    """Raises `Refusal`: a table without content is empty, and one whose content stands too far down is not."""
    with closing(table.rows()) as rows:
        begins = next((row.line for row in rows if any(cell and not cell.isspace() for cell in row.cells)), None)
    if begins is None:
        raise Refusal("empty_file", "the file has no row with content", "nothing of it was loaded; export it again")
    raise Refusal(
        "header_too_deep",
        f"its first {HEADER_WITHIN} rows are blank, and its header isn't looked for below them (line {begins} is the "
        "first with content)",
        "delete the blank rows above its header, or export it again",
    )
