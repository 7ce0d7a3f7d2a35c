"""A statement → records: a report whose rows are a label and figures, a trial balance or an aging summary.

A row that a later "Total …" names is a group: with the same figures as the rows inside it states their sum and is no
record; with figures that only come to the total together with theirs it is a parent's own balance, and is kept. A
statement is a page or two, so all of it is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from qbwatch.core.model import RowClass
from qbwatch.core.money import EXACT
from qbwatch.formats.records import Reading, Structure
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_layout import ReportLayout, label_of
from qbwatch.formats.report_names import (
    is_alike,
    is_grand_total,
    is_same,
    same_blanks,
    says_total,
    totalled,
    whole_name,
)
from qbwatch.formats.report_outline import unclear
from qbwatch.formats.report_rows import RowReader, amounts_in
from qbwatch.formats.report_source import Report
from qbwatch.formats.report_text import read_footer
from qbwatch.formats.report_totals import Running, TotalsCheck
from qbwatch.formats.table import Row

_ROWS_AT_MOST = 200_000  # what is held at once; a statement has one row per account or customer


@dataclass(slots=True, eq=False)
class _Line:
    """One row: what it turns out to be, the group it stands in, and its figures by position."""

    row: Row
    number: int
    row_class: RowClass
    label: str = ""
    figures: dict[int, Decimal] = field(default_factory=dict)
    group: _Line | None = None
    is_tied: bool = False
    head: _Line | None = None  # of a total: the row that opens its group
    amounts: Running | None = None  # what it comes to: its own figures, or those of its group

    @property
    def name(self) -> str:
        return whole_name(self.group.name if self.group else None, self.label)

    @property
    def path(self) -> str:
        return f"{self.group.path}:{self.label}" if self.group else self.label


def read_statement(report: Report, rows: Iterator[Row]) -> Iterator[Reading]:
    """The rows below the header. Raises `Refusal` at the end when printed totals don't agree with them."""
    layout = report.layout
    lines = [_classified(row, number, layout) for number, row in enumerate(rows, start=1)]
    totals = TotalsCheck(layout)
    _group(lines, totals, layout)
    reader = RowReader(layout, report.day, None, report.may_be_short)
    for line in lines:
        if line.row_class is RowClass.DETAIL:
            section = line.group.path if line.group else None
            yield reader.read(_named(line, layout), line.number, report.added(section, line.name))
        else:
            yield Structure(line.row.line, line.row_class, line.is_tied)
    reader.refuse_if_unreadable()
    totals.refuse_if_wrong()


def _classified(row: Row, number: int, layout: ReportLayout) -> _Line:
    """A row by itself; whether a label's row is a record or a group is told by the totals below it."""
    if number > _ROWS_AT_MOST:
        raise Refusal("too_long", f"a statement of more than {_ROWS_AT_MOST} rows", "export a shorter one")
    if not any(cell and not cell.isspace() for cell in row.cells):
        return _Line(row, number, RowClass.BLANK)
    if read_footer(row.cells):
        return _Line(row, number, RowClass.FOOTER)
    label = label_of(row.cells, layout)
    if not label:
        raise unclear(row.line, "it has figures and nothing that says whose")
    figures = amounts_in(row, layout)
    is_total = is_grand_total(label)
    row_class = RowClass.GRAND_TOTAL if is_total else RowClass.DETAIL if figures else RowClass.SECTION
    return _Line(row, number, row_class, label, figures)


def _named(line: _Line, layout: ReportLayout) -> Row:
    """The row without its label where that has a column of its own: the whole name is put there."""
    if layout.labels or layout.section_as != 0:
        return Row(line.row.line, ["" if place < layout.labels else cell for place, cell in enumerate(line.row.cells)])
    return Row(line.row.line, ["", *line.row.cells[1:]])


def _group(lines: Sequence[_Line], totals: TotalsCheck, layout: ReportLayout) -> None:
    """Let every total take in the rows that it sums."""
    standing: list[_Line] = []  # rows and closed groups that no total has taken in yet
    for line in lines:
        if line.row_class is RowClass.GRAND_TOTAL:
            _close_statement(line, standing, totals, layout)
            standing.clear()
        elif line.row_class in (RowClass.DETAIL, RowClass.SECTION):
            place = _opened_by(line.label, standing) if says_total(line.label) else None
            if place is None:
                line.amounts = _amounts([line], layout)
                standing.append(line)
            else:
                _close_group(line, standing, place, totals, layout)


def _opened_by(label: str, standing: Sequence[_Line]) -> int | None:
    """Where the group begins that a total closes; None for a name that merely begins like one."""
    names = totalled(label)
    for fits in (is_same, is_alike):
        for place in reversed(range(len(standing))):
            if standing[place].row_class is not RowClass.SUBTOTAL and fits(standing[place].label, names):
                return place
    return None


def _amounts(lines: Sequence[_Line], layout: ReportLayout) -> Running:
    running = Running.of(layout)
    for line in lines:
        if line.amounts is not None:
            running.take_in(line.amounts)
            continue
        for position, amount in line.figures.items():
            if position in running.sums:
                running.add(position, amount)
    return running


def _close_group(total: _Line, standing: list[_Line], place: int, totals: TotalsCheck, layout: ReportLayout) -> None:
    head, inside = standing[place], standing[place + 1 :]
    children = _amounts(inside, layout)
    total.row_class = RowClass.SUBTOTAL
    own = {position: amount for position, amount in head.figures.items() if position in children.sums and amount}
    states_sum = bool(inside) and own == {position: amount for position, amount in children.sums.items() if amount}
    if own and not states_sum:
        head.row_class = RowClass.DETAIL
        children = _amounts([head, *inside], layout)
    else:
        head.row_class = RowClass.SECTION
    total.is_tied = totals.compare(total.row.line, total.label, total.figures, children)
    for line in inside:
        (line.head or line).group = head
    total.head = head
    total.amounts, total.label = children, head.label
    standing[place:] = [total]


def _close_statement(total: _Line, standing: Sequence[_Line], totals: TotalsCheck, layout: ReportLayout) -> None:
    """The last total. Where it only ties without them, rows that state the sum of those below them are groups."""
    running = _amounts(standing, layout)
    if not _ties(total, running):
        groups = _implied_groups(standing, layout)
        without = _amounts([line for line in standing if line not in groups], layout)
        if groups and _ties(total, without):
            for head, inside in groups.items():
                head.row_class = RowClass.SECTION
                for line in inside:
                    (line.head or line).group = head
            running = without
    total.is_tied = totals.compare(total.row.line, total.label, total.figures, running)


def _ties(total: _Line, running: Running) -> bool:
    return all(running.sums.get(position, amount) == amount for position, amount in total.figures.items())


def _implied_groups(standing: Sequence[_Line], layout: ReportLayout) -> dict[_Line, list[_Line]]:
    """Rows followed by rows of ``Label:…`` that come to the same figures."""
    groups: dict[_Line, list[_Line]] = {}
    for place, head in enumerate(standing):
        inside = []
        for line in standing[place + 1 :]:
            if not same_blanks(line.label).startswith(same_blanks(head.label) + ":"):
                break
            inside.append(line)
        if inside and head.row_class is RowClass.DETAIL and _amounts(inside, layout).sums == _sums(head, layout):
            groups[head] = inside
    return groups


def _sums(line: _Line, layout: ReportLayout) -> dict[int, Decimal]:
    return {position: EXACT.add(Decimal(0), line.figures.get(position, Decimal(0))) for position, _ in layout.printed}
