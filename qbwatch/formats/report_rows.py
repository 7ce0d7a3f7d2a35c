"""One row of a report → a record's values, or the reason why it can't be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from qbwatch.core.dates import WrongOrder
from qbwatch.core.model import Reject
from qbwatch.core.money import NotAnAmount, parse_amount
from qbwatch.formats.facts import Period
from qbwatch.formats.records import Record, Rejected, extra_of, wrong_order
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_layout import ReportLayout
from qbwatch.formats.report_outline import unclear
from qbwatch.formats.table import Row, Unusable

_SHOWN = 80  # characters of an offending cell that are kept
_LISTED = 5  # unreadable rows that the reason names


@dataclass(slots=True)
class RowReader:
    """Reads the records of one report in order: numbers them within their day, and keeps what can't be read.

    ``report_day`` is the day of a report of position; ``period`` what the report prints. ``short`` is whether a row
    may lack cells at its end, as in a workbook.
    """

    layout: ReportLayout
    report_day: date | None
    period: Period | None
    short: bool
    rejects: list[Reject] = field(default_factory=list)
    _ordinals: Counter[str] = field(default_factory=Counter)
    _day_place: int = 0

    def __post_init__(self) -> None:
        if self.layout.dataset.day is not None:
            self._day_place = self.layout.columns.index(self.layout.dataset.day)

    def read(self, row: Row, row_number: int, added: tuple[str, ...]) -> Record | Rejected:
        """A row with its section's texts ``added`` behind its cells. Raises `Refusal` for what condemns the report."""
        layout, cells = self.layout, row.cells
        if len(cells) < layout.width and not self.short:
            return self._reject(row, None, f"{len(cells)} cells where the header has {layout.width}")
        self._refuse_unnamed(row)
        padded = [*cells[: layout.width], *[""] * (layout.width - len(cells)), *added]
        if (named := layout.section_as) is not None and not padded[named].strip():
            padded[named] = added[-1]
        whole = Row(row.line, padded)
        values: list[str | None] = []
        for cell in layout.cells:
            if isinstance(text := padded[cell.position], Unusable):
                return self._reject(whole, cell.position, text.reason)
            try:
                values.append(cell.read(text))
            except WrongOrder as error:
                raise wrong_order(whole, layout, cell.position, str(error)) from None
            except ValueError as error:
                return self._reject(whole, cell.position, str(error))
        day = self._day(whole, values)
        if day is None:
            return self._reject(whole, layout.day, "no date: the day that it belongs to can't be told")
        self._ordinals[day] += 1
        return Record(row_number, row.line, day, self._ordinals[day], values, extra_of(whole, layout))

    def _day(self, row: Row, values: list[str | None]) -> str | None:
        """The ISO day that the record belongs to; a day outside of the period that is printed condemns the report."""
        if self.layout.dataset.day is None:
            if self.report_day is None:
                raise Refusal(
                    "no_report_date",
                    "a position as of a day, and neither the report nor the file's name says which",
                    "export it with the lines above its header, or put the date into its name, as 2025-04-14",
                )
            return self.report_day.isoformat()
        day = values[self._day_place]
        if day and self.period and not self.period.first.isoformat() <= day <= self.period.last.isoformat():
            raise Refusal(
                "outside_period",
                f"line {row.line} is dated {day}, outside of the period that the report states",
                "check date_order in [quickbooks]; else export the report again",
            )
        return day

    def _refuse_unnamed(self, row: Row) -> None:
        layout = self.layout
        for position, cell in enumerate(row.cells):
            if cell and position not in layout.named and not cell.isspace():
                raise unclear(row.line, f"its cell {position + 1} has content where the header has no name")

    def _reject(self, row: Row, position: int | None, reason: str) -> Rejected:
        column = self.layout.header.written[position] if position is not None else None
        text = row.cells[position][:_SHOWN].replace("\x00", "␀") if position is not None else ""
        reject = Reject(row.line, column, text, reason)
        self.rejects.append(reject)
        return Rejected(None, reject)

    def refuse_if_unreadable(self) -> None:
        """A report that lacks a row contradicts its own totals, so one bad row condemns it. Raises `Refusal`."""
        if not self.rejects:
            return
        named = "; ".join(
            f"line {each.line}" + (f", column {each.column!r}" if each.column else "") + f": {each.reason}"
            for each in self.rejects[:_LISTED]
        )
        more = f" and {len(self.rejects) - _LISTED} more" if len(self.rejects) > _LISTED else ""
        raise Refusal(
            "unreadable_rows",
            f"{len(self.rejects)} of its rows can't be read: {named}{more}",
            "a report is loaded whole or not at all: mend these cells where they come from, then export it again",
            {
                "rejects": [
                    {"line": each.line, "column": each.column, "text": each.text, "reason": each.reason}
                    for each in self.rejects
                ]
            },
        )


def amount_in(text: str) -> Decimal | None:
    """A figure, or None for a blank and for what is none."""
    try:
        return parse_amount(text)
    except NotAnAmount:
        return None


def amounts_in(row: Row, layout: ReportLayout) -> dict[int, Decimal]:
    """The figures of a row without a record, by position. Raises `Refusal` where there is anything else."""
    figures: dict[int, Decimal] = {}
    for position, cell in enumerate(row.cells):
        if position < max(layout.labels, 1) or not cell or cell.isspace():
            continue
        if position not in layout.named:
            raise unclear(row.line, f"its cell {position + 1} has content where the header has no name")
        try:
            amount = parse_amount(cell)
        except NotAnAmount:
            raise unclear(row.line, "it is a total with something else than figures") from None
        if amount is not None:
            figures[position] = amount
    return figures
