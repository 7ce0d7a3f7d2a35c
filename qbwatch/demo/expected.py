"""What a database has to say once the exports are loaded: counts and sums, to the cent.

Reckoned from the firm's records, not from the files' text: records are taken export by export in the order of the
moment each speaks for, a later version replaces an earlier one, and absence means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from qbwatch.demo.exports import Dataset, Export
from qbwatch.demo.firm import Customer, Document, DocumentKind, DocumentState, Item


@dataclass(frozen=True, slots=True)
class Tally:
    """Documents of one kind. ``total`` is the sum of document totals, which equals the lines without subtotals.

    ``line_amounts`` is the sum of all lines, subtotals too; ``total_on_every_line`` is what adding up the header's
    total line by line gives; ``repeated_products`` are the lines lost by whoever keys a line by document and product.
    """

    documents: int
    lines: int
    total: Decimal
    tax: Decimal
    balance: Decimal
    line_amounts: Decimal
    total_on_every_line: Decimal
    repeated_products: int
    by_state: dict[DocumentState, int]
    total_by_state: dict[DocumentState, Decimal]


@dataclass(frozen=True, slots=True)
class Expected:
    """The truth at one point of the story.

    ``active_customers`` are those that a file said are active: a file without the column says nothing of a newcomer.
    ``orphans`` are documents whose customer no file has brought yet.
    """

    customers: int
    active_customers: int
    items: int
    invoices: Tally
    receipts: Tally
    orphans: int


def expect(exports: Iterable[Export]) -> Expected:
    """What follows from a set of exports, in whatever order they are given."""
    customers: dict[str, Customer] = {}
    items: dict[str, Item] = {}
    documents: dict[str, Document] = {}
    active: dict[str, bool] = {}
    for export in sorted(exports, key=lambda export: (export.as_of, [*Dataset].index(export.dataset))):
        for record in export.records:
            match record:
                case Customer():
                    customers[record.id] = record
                    if export.layout.lost != "Status":
                        active[record.id] = record.active
                case Item():
                    items[record.id] = record
                case Document():
                    documents[record.id] = record
    names = {customer.name for customer in customers.values()}
    return Expected(
        customers=len(customers),
        active_customers=sum(active.values()),
        items=len(items),
        invoices=_tally([found for found in documents.values() if found.kind is DocumentKind.INVOICE]),
        receipts=_tally([found for found in documents.values() if found.kind is DocumentKind.RECEIPT]),
        orphans=sum(document.customer.name not in names for document in documents.values()),
    )


def _tally(documents: list[Document]) -> Tally:
    by_state = dict.fromkeys(DocumentState, 0)
    total_by_state = dict.fromkeys(DocumentState, Decimal("0.00"))
    for document in documents:
        by_state[document.state] += 1
        total_by_state[document.state] += document.total
    return Tally(
        documents=len(documents),
        lines=sum(len(document.lines) for document in documents),
        total=_sum(document.total for document in documents),
        tax=_sum(document.tax for document in documents),
        balance=_sum(document.balance for document in documents),
        line_amounts=_sum(line.amount or Decimal(0) for document in documents for line in document.lines),
        total_on_every_line=_sum(document.total * len(document.lines) for document in documents),
        repeated_products=sum(_repeats(document) for document in documents),
        by_state=by_state,
        total_by_state=total_by_state,
    )


def _repeats(document: Document) -> int:
    products = [line.product for line in document.lines]
    return len(products) - len(set(products))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal("0.00"))
