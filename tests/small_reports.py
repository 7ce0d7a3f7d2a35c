"""Small reports as a test states them, in the three layouts that QuickBooks writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RowClass
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.records import Record
from qbwatch.formats.tally import Tally

ONLINE = ("", "Date", "Transaction Type", "Num", "Product/Service", "Memo/Description", "Qty", "Sales Price", "Amount", "Balance")  # fmt: skip  # noqa: E501
DESKTOP = ("", "Type", "Date", "Num", "Memo", "Name", "Item", "Qty", "U/M", "Sales Price", "Amount", "Balance")
QUOTED = ("Type", "Date", "Num", "Memo", "Name", "Qty", "Sales Price", "Amount", "Balance")
SALES = "Sales by Customer Detail\nAcme Ltd\nAll Dates\n\n"
ANY_DAY = date(2025, 4, 14)


def text_of(rows: Sequence[Sequence[str]], *, quoted: bool = False) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n").writerows(rows)
    return out.getvalue()


def row_of(header: Sequence[str], label: str = "", **cells: str) -> list[str]:
    """A row with its label in the first column and cells by their headers, in snake_case."""
    found = [cells.pop(name.lower().replace("/", "_").replace(" ", "_"), "") for name in header]
    assert not cells, f"no such columns: {cells}"
    return [label, *found[1:]] if label else found


def sale(day: str, amount: str, num: str = "7", label: str = "") -> str:
    """A row of an Online sales report."""
    cells = row_of(
        ONLINE, date=day, transaction_type="Invoice", num=num, product_service="Rope", qty="1", amount=amount
    )
    return text_of([[label, *cells[1:]]])


def section(label: str) -> str:
    return text_of([row_of(ONLINE, label)])


def total(label: str, amount: str) -> str:
    return text_of([row_of(ONLINE, label, amount=amount)])


def sales_report(*rows: str, above: str = SALES) -> str:
    return above + text_of([ONLINE]) + "".join(rows)


def open_report(text: str | bytes, name: str = "report.csv", order: DateOrder = DateOrder.MDY) -> Part:
    """The part in a report; raises `Refusal`."""
    data = text if isinstance(text, bytes) else text.encode()
    return open_part(lambda: io.BytesIO(data), name, order).on(ANY_DAY)


@dataclass(frozen=True)
class ReportRead:
    """A report, read to its end."""

    part: Part
    tally: Tally
    records: list[Record]

    def column(self, name: str) -> list[str | None]:
        place = self.part.layout.columns.index(name)
        return [record.values[place] for record in self.records]

    @property
    def classes(self) -> dict[str, int]:
        return {row_class.value: count for row_class, count in self.tally.row_classes.items()}

    @property
    def structural(self) -> int:
        return sum(count for row_class, count in self.tally.row_classes.items() if row_class is not RowClass.DETAIL)

    def sum_of(self, name: str) -> Decimal:
        return self.tally.sums[name]


def read_whole(part: Part) -> ReportRead:
    """Read a part to its end, as a load does; raises `Refusal`."""
    tally = Tally(part.layout)
    records = [record for reading in part.readings() if (record := tally.take(reading)) is not None]
    return ReportRead(part, tally, records)


def read_report(text: str | bytes, name: str = "report.csv") -> ReportRead:
    return read_whole(open_report(text, name))
