"""What the database says at a point of the story, beside what the story's books say, to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from qbwatch.demo.expected import Expected
from qbwatch.demo.firm import DocumentState


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure from both sides."""

    name: str
    in_books: int | Decimal
    in_database: int | Decimal

    @property
    def agrees(self) -> bool:
        """True when both are equal, to the cent."""
        return self.in_books == self.in_database


_ORDERS = """SELECT count(*), coalesce(sum(total_amount), 0), count(*) FILTER (WHERE is_void)
             FROM analytics_mart.fct_orders WHERE order_type = :type"""
_COUNTS = """SELECT (SELECT count(*) FROM raw.quickbooks_customers WHERE _removed_at IS NULL),
                    (SELECT count(*) FROM raw.quickbooks_items WHERE _removed_at IS NULL),
                    (SELECT count(*) FROM raw.quickbooks_invoices),
                    (SELECT count(*) FROM raw.quickbooks_sales_receipts),
                    (SELECT count(*) FROM analytics_mart.fct_orders WHERE is_orphan)"""


def compare(connection: Connection, expected: Expected) -> list[Figure]:
    """All figures of the story that the marts and raw tables must show."""
    counts: Any = connection.execute(text(_COUNTS)).one()
    customers, items, invoice_lines, receipt_lines, orphans = counts
    invoices, revenue, void = _orders(connection, "invoice")
    receipts, takings, void_receipts = _orders(connection, "sales_receipt")
    return [
        Figure("customers", expected.customers, customers),
        Figure("items", expected.items, items),
        Figure("invoices", expected.invoices.documents, invoices),
        Figure("invoice lines", expected.invoices.lines, invoice_lines),
        Figure("void invoices", expected.invoices.by_state.get(DocumentState.VOID, 0), void),
        Figure("invoiced, in dollars", expected.invoices.total, revenue),
        Figure("sales receipts", expected.receipts.documents, receipts),
        Figure("sales receipt lines", expected.receipts.lines, receipt_lines),
        Figure("void receipts", expected.receipts.by_state.get(DocumentState.VOID, 0), void_receipts),
        Figure("received at the counter, in dollars", expected.receipts.total, takings),
        Figure("orders without a known customer", expected.orphans, orphans),
    ]


def _orders(connection: Connection, kind: str) -> tuple[int, Decimal, int]:
    documents, total, void = connection.execute(text(_ORDERS), {"type": kind}).one()
    return int(str(documents)), Decimal(str(total)), int(str(void))


def latest_orders(connection: Connection, count: int) -> list[tuple[str, ...]]:
    """The newest rows of ``fct_orders``: number, date, customer, status, total."""
    query = """SELECT document_number, order_date, customer_name, status, total_amount
               FROM analytics_mart.fct_orders ORDER BY order_date DESC, order_key LIMIT :count"""
    rows = connection.execute(text(query), {"count": count})
    return [tuple("" if value is None else str(value) for value in row) for row in rows]
