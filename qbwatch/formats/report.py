"""A sectioned report → records: sections filled down, totals checked, and every other row told for what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from qbwatch.core.model import RowClass
from qbwatch.formats.records import Reading, Record, Structure
from qbwatch.formats.report_layout import label_of
from qbwatch.formats.report_names import OPENING, same_blanks
from qbwatch.formats.report_outline import Mark, Section, is_transaction_total, unclear
from qbwatch.formats.report_rows import RowReader, amount_in, amounts_in
from qbwatch.formats.report_source import Report
from qbwatch.formats.report_totals import Running, TotalsCheck
from qbwatch.formats.table import Row


def read_sections(report: Report, rows: Iterator[Row]) -> Iterator[Reading]:
    """Read the rows below the header; what is wrong with its totals is raised as `Refusal` at the end."""
    return _Reading(report).read(rows)


@dataclass(slots=True)
class _Open:
    """A section that is being read."""

    section: Section | None
    running: Running
    stated: dict[int, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    """One reading of a report: the open sections (the report itself first) and the open transaction of a journal."""

    report: Report
    rows: RowReader = field(init=False)
    totals: TotalsCheck = field(init=False)
    open: list[_Open] = field(init=False)
    added: tuple[str, ...] = field(init=False)
    transaction: Running | None = None
    first_cells: list[str] = field(default_factory=list)
    is_over: bool = False

    def __post_init__(self) -> None:
        report = self.report
        self.rows = RowReader(report.layout, report.day, report.days, report.may_be_short)
        self.totals = TotalsCheck(report.layout)
        self.open = [_Open(None, Running.of(report.layout))]
        self.added = report.added(None, None)

    def read(self, rows: Iterator[Row]) -> Iterator[Reading]:
        outline = self.report.outline
        marks = outline.marks if outline else {}
        for row_number, row in enumerate(rows, start=1):
            mark = marks.get(row.line)
            if mark is not None:
                yield self._structure(row, mark)
            elif not any(cell and not cell.isspace() for cell in row.cells):
                yield Structure(row.line)
            else:
                yield self._plain(row, row_number)
        while len(self.open) > 1:
            self._close()
        self.rows.refuse_if_unreadable()
        self.totals.refuse_if_wrong()

    def _structure(self, row: Row, mark: Mark) -> Structure:
        is_tied = False
        match mark.row_class:
            case RowClass.SECTION:
                self._refuse_after_end(row)
                self._open_section(row, mark)
            case RowClass.SUBTOTAL:
                self._refuse_after_end(row)
                is_tied = self._subtotal(row, mark)
            case RowClass.GRAND_TOTAL:
                self._refuse_after_end(row)
                while len(self.open) > 1:
                    self._close()
                is_tied = self._compare(row, self.open[0].running)
                self.is_over = True
            case _:
                self.is_over = True
        return Structure(row.line, mark.row_class, is_tied)

    def _refuse_after_end(self, row: Row) -> None:
        if self.is_over:
            raise unclear(row.line, "it stands below the report's end")

    def _open_section(self, row: Row, mark: Mark) -> None:
        assert mark.section is not None
        parent = mark.section.parent
        while self.open[-1].section is not parent:
            self._close()
        layout = self.report.layout
        opened = _Open(mark.section, Running.of(layout), amounts_in(row, layout))
        if layout.balance is not None:  # a ledger's account begins with what it held before
            opened.running.balance = opened.stated.pop(layout.balance, None)
        self.open.append(opened)
        self._enter(mark.section)

    def _enter(self, section: Section | None) -> None:
        self.transaction = None
        name = section.name(self.report.layout.dataset.section_groups) if section else None
        self.added = self.report.added(section.path if section else None, name)

    def _subtotal(self, row: Row, mark: Mark) -> bool:
        while self.open[-1].section is not mark.section:
            self._close()
        is_tied = self._compare(row, self.open[-1].running, is_own=mark.is_own)
        if not mark.is_own:
            self._close()
        return is_tied

    def _close(self) -> None:
        """End the innermost section; figures beside its label state what its rows come to."""
        ended = self.open.pop()
        if ended.stated and ended.section is not None:
            self.totals.compare(ended.section.line, ended.section.label, ended.stated, ended.running)
        self.open[-1].running.take_in(ended.running)
        self._enter(self.open[-1].section)

    def _compare(self, row: Row, running: Running, *, is_own: bool = False) -> bool:
        label = label_of(row.cells, self.report.layout)
        return self.totals.compare(row.line, label, amounts_in(row, self.report.layout), running, is_own=is_own)

    def _plain(self, row: Row, row_number: int) -> Reading:
        """A row without a label: a record, a balance brought forward, or the sum of a journal's transaction."""
        layout = self.report.layout
        if self._is_opening(row):
            self._note_balance(row)
            return Structure(row.line, RowClass.BEGINNING_BALANCE)
        self._refuse_after_end(row)
        if is_transaction_total(row.cells, layout):
            return self._transaction_total(row)
        row = self._filled_down(row)
        if not self._has_day(row):
            self._refuse_figures_alone(row)
        reading = self.rows.read(row, row_number, self.added)
        if isinstance(reading, Record):
            self._count(row)
        return reading

    def _has_day(self, row: Row) -> bool:
        day = self.report.layout.day
        return day is not None and day < len(row.cells) and row.cells[day][:1].isdigit()

    def _is_opening(self, row: Row) -> bool:
        if self._has_day(row):
            return False
        return any(cell and same_blanks(cell) in OPENING for cell in row.cells)

    def _refuse_figures_alone(self, row: Row) -> None:
        filled = [position for position, cell in enumerate(row.cells) if cell and not cell.isspace()]
        if self.report.layout.figures.issuperset(filled):
            raise unclear(row.line, "it has figures and nothing that says whose")

    def _filled_down(self, row: Row) -> Row:
        """A journal's further rows of a transaction lack its date, type and number."""
        layout = self.report.layout
        if not layout.filled_down or layout.day is None or layout.day >= len(row.cells):
            return row
        if row.cells[layout.day].strip():
            self.transaction = self.transaction or Running.of(layout)
            self.first_cells = list(row.cells)
            return row
        if self.transaction is None:
            return row
        cells = list(row.cells)
        for position in layout.filled_down:
            if position < len(cells) and not cells[position].strip():
                cells[position] = self.first_cells[position]
        return replace(row, cells=cells)

    def _transaction_total(self, row: Row) -> Structure:
        if self.transaction is None:
            self.rows.refuse_if_unreadable()
            raise unclear(row.line, "it is the total of a transaction, and none stands above it")
        is_tied = self.totals.compare(row.line, "", amounts_in(row, self.report.layout), self.transaction)
        self.transaction = None
        return Structure(row.line, RowClass.TRANSACTION_TOTAL, is_tied)

    def _count(self, row: Row) -> None:
        layout, innermost = self.report.layout, self.open[-1].running
        for position, _ in layout.printed:
            if position < len(row.cells) and (amount := amount_in(row.cells[position])) is not None:
                innermost.add(position, amount)
                if self.transaction is not None:
                    self.transaction.add(position, amount)
        self._note_balance(row)

    def _note_balance(self, row: Row) -> None:
        """The running balance, where one is printed."""
        position = self.report.layout.balance
        if position is not None and position < len(row.cells):
            balance = amount_in(row.cells[position])
            self.open[-1].running.balance = self.open[-1].running.balance if balance is None else balance
