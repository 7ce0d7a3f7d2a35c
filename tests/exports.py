"""Small exports as a test states them: only the columns that matter to it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from qbwatch.core.dates import DateOrder
from qbwatch.formats.part import Part, open_part
from qbwatch.formats.records import Reading, Record, Rejected
from qbwatch.formats.tally import Tally, read_whole_documents

CUSTOMER = ("QuickBooks Internal Id", "Customer Name", "Main Email", "Credit Limit", "Status")
INVOICE = (
    "QuickBooks Internal Id", "Invoice No", "Customer", "Invoice Date", "Product/Service", "Product/Service Quantity",
    "Product/Service Rate", "Product/Service  Amount", "Total Amount", "Status",
)  # fmt: skip


def csv_bytes(header: Sequence[str], *rows: Sequence[str], encoding: str = "utf-8") -> bytes:
    """An export with CRLF and quotes only where they are needed, as the exporter writes."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode(encoding)


def customers(*rows: Sequence[str]) -> bytes:
    """A customer export with the columns of `CUSTOMER`; missing cells at the end of a row are blank."""
    return csv_bytes(CUSTOMER, *(padded(row, len(CUSTOMER)) for row in rows))


def invoices(documents: Mapping[str, Sequence[tuple[str, str]]], status: str = "Open") -> bytes:
    """An invoice export: documents by their id, each with lines (product, amount)."""
    rows = [
        (key, f"N-{key}", "Acme", "04-01-2025", product, "1", amount, amount, "100.00", status)
        for key, lines in documents.items()
        for product, amount in lines
    ]
    return csv_bytes(INVOICE, *rows)


def padded(row: Sequence[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))]


def opened(data: bytes, name: str, order: DateOrder = DateOrder.MDY) -> Part:
    """The part in these bytes; raises `Refusal`."""
    return open_part(lambda: io.BytesIO(data), name, order)


def readings(data: bytes, name: str) -> list[Reading]:
    return list(opened(data, name).readings())


def records(data: bytes, name: str) -> list[Record]:
    return [reading for reading in readings(data, name) if isinstance(reading, Record)]


def rejects(data: bytes, name: str) -> list[tuple[int, str | None, str, str]]:
    """Line, column, text and reason of each rejected row."""
    found = [reading.reject for reading in readings(data, name) if isinstance(reading, Rejected)]
    return [(each.line, each.column, each.text, each.reason) for each in found]


def tally_of(data: bytes, name: str) -> Tally:
    """The part counted as a load counts it."""
    part = opened(data, name)

    def read(tally: Tally) -> None:
        for reading in part.readings():
            tally.take(reading)

    return read_whole_documents(part.layout, read)
