"""The scheduled exporter: which records a file holds, what it is called, and its bytes.

A *full* export lists everything; a daily one is a *window* on what changed lately. How far back a window looks is set
per dataset: seven days for lists, five for invoices, and the sales receipts since the last business day, so a receipt
is in one daily file only and missing when that file is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Literal, assert_never

from qbwatch.demo import columns
from qbwatch.demo.books import Books
from qbwatch.demo.firm import Customer, Document, DocumentKind, Item
from qbwatch.demo.rows import Cell, Row, customer_row, invoice_rows, item_row, receipt_rows

Record = Customer | Item | Document


class Dataset(StrEnum):
    """What the exporter exports, in the order of its schedule; the values begin its file names."""

    CUSTOMERS = "Customer"
    ITEMS = "Item"
    INVOICES = "Invoice"
    RECEIPTS = "Sales_Receipt"


_HEADERS: dict[Dataset, tuple[str, ...]] = {
    Dataset.CUSTOMERS: columns.CUSTOMER,
    Dataset.ITEMS: columns.ITEM,
    Dataset.INVOICES: columns.INVOICE,
    Dataset.RECEIPTS: columns.SALES_RECEIPT,
}


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file as it is dropped: its name, its bytes, and the folder it belongs into."""

    name: str
    content: bytes
    folder: Literal["seed", "input"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file deviates from the usual: its encoding, a column it lost or gained, dates written day first."""

    encoding: Literal["utf-8", "utf-8-sig", "cp1252"] = "utf-8"
    lost: str = ""
    gained: str = ""
    day_first: bool = False


PLAIN = Layout()
WITH_BOM = Layout("utf-8-sig")


@dataclass(frozen=True, slots=True)
class Export:
    """One run of the exporter: what it saw at that moment. A full export has no ``clock`` in its name."""

    dataset: Dataset
    day: date
    clock: time | None
    records: tuple[Record, ...]
    balances: dict[str, Decimal]
    layout: Layout = PLAIN

    @property
    def as_of(self) -> tuple[date, time]:
        """The moment it speaks for; without a time of day that is the end of the day."""
        return self.day, self.clock or time(23, 59, 59)

    @property
    def name(self) -> str:
        """The file's name; the hour has no leading zero."""
        stem = f"{self.dataset}_{self.day:%m_%d_%Y}"
        if self.clock is None:
            return f"01_BACKUP_{stem}.csv"
        return f"{stem}_{self.clock.hour}_{self.clock:%M_%S}.csv"

    def write(self) -> ExportFile:
        """The file, ready to be dropped."""
        header = self._header()
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(header)
        for number, row in enumerate(self._rows(), start=1):
            cells: Row = {**row, "S.No": number}
            if self.layout.gained:
                cells[self.layout.gained] = f"{self.layout.gained} {number % 4 + 1}"
            writer.writerow([self._text(cells.get(column)) for column in header])
        content = text.getvalue().encode(self.layout.encoding)
        return ExportFile(self.name, content, "seed" if self.clock is None else "input")

    def _header(self) -> list[str]:
        """The dataset's columns without the lost one, the new one in the middle."""
        header = [column for column in _HEADERS[self.dataset] if column != self.layout.lost]
        if self.layout.gained:
            header.insert(len(header) // 2, self.layout.gained)
        return header

    def _rows(self) -> Iterator[Row]:
        for record in self.records:
            match record:
                case Customer():
                    yield customer_row(record, self.balances.get(record.id, Decimal("0.00")))
                case Item():
                    yield item_row(record)
                case Document(kind=DocumentKind.INVOICE):
                    yield from invoice_rows(record)
                case Document():
                    yield from receipt_rows(record)
                case _:
                    assert_never(record)

    def _text(self, cell: Cell) -> str:
        match cell:
            case None:
                return ""
            case bool():
                return "true" if cell else "false"
            case date():
                return f"{cell:%d-%m-%Y}" if self.layout.day_first else f"{cell:%m-%d-%Y}"
            case _:
                return str(cell)


def records_of(books: Books, dataset: Dataset, since: date = date.min) -> tuple[Record, ...]:
    """The records of a dataset that changed on or after a day, in the order the exporter lists them."""
    found: Iterable[Record]
    match dataset:
        case Dataset.CUSTOMERS:
            found = _by_name(books.customers.values())
        case Dataset.ITEMS:
            found = books.items.values()
        case Dataset.INVOICES:
            found = books.of_kind(DocumentKind.INVOICE)
        case Dataset.RECEIPTS:
            found = books.of_kind(DocumentKind.RECEIPT)
        case _:
            assert_never(dataset)
    return tuple(record for record in found if record.modified >= since)


def _by_name(customers: Iterable[Customer]) -> list[Customer]:
    return sorted(customers, key=lambda customer: customer.name)
