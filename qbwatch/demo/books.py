"""The firm's company file: what is known at one moment, and the ids QuickBooks gives to what is entered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

from qbwatch.demo.firm import Customer, Document, DocumentKind, Item

_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Books:
    """Customers, items and documents by internal id. The books change in place; the records in them never do."""

    customers: dict[str, Customer] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)

    def keep(self, record: Customer | Item | Document) -> None:
        """Enter a record, or replace it by its new version."""
        match record:
            case Customer():
                self.customers[record.id] = record
            case Item():
                self.items[record.id] = record
            case Document():
                self.documents[record.id] = record

    def of_kind(self, kind: DocumentKind) -> tuple[Document, ...]:
        """All documents of a kind in the order of their entry."""
        return tuple(document for document in self.documents.values() if document.kind is kind)

    def balances(self) -> dict[str, Decimal]:
        """What each customer owes, by customer id; who owes nothing is not in it."""
        owed: dict[str, Decimal] = {}
        for document in self.documents.values():
            if document.balance:
                owed[document.customer.id] = owed.get(document.customer.id, Decimal(0)) + document.balance
        return owed


@dataclass(slots=True)
class Numbers:
    """Gives out ids in QuickBooks' shape: a counter in hexadecimal, a hyphen, and the second of the entry."""

    rng: Random
    trans_no: int = 8211
    invoice_no: int = 30417
    receipt_no: int = 7102
    _list_counter: int = 0x80000021
    _document_counter: int = 0x1C3A0

    def list_id(self, on: date) -> str:
        """An id for a customer or an item, such as ``8000014D-1592235193``."""
        self._list_counter += self.rng.randrange(1, 4)
        return f"{self._list_counter:X}-{self._second(on)}"

    def document_id(self, on: date) -> str:
        """An id for a document, such as ``2B1C9-1719852757``."""
        self._document_counter += self.rng.randrange(2, 9)
        return f"{self._document_counter:X}-{self._second(on)}"

    def next_trans_no(self) -> int:
        """The serial number of a transaction (the exporter prints it with a thousands comma)."""
        self.trans_no += self.rng.randrange(1, 4)
        return self.trans_no

    def next_number(self, kind: DocumentKind) -> str:
        """The number printed on the next invoice or sales receipt."""
        if kind is DocumentKind.INVOICE:
            self.invoice_no += 1
            return f"CT-{self.invoice_no}"
        self.receipt_no += 1
        return f"R{self.receipt_no}"

    def _second(self, on: date) -> int:
        """A second of that day's office hours, counted from 1970."""
        return (on - _EPOCH).days * 86_400 + self.rng.randrange(14 * 3600, 22 * 3600)
