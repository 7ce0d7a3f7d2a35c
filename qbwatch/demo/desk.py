"""The firm's order desk: enters customers and documents into the books, drawing the details from a seeded generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from random import Random

from qbwatch.demo.billing import bill, in_cents
from qbwatch.demo.books import Books, Numbers
from qbwatch.demo.catalogue import is_sold
from qbwatch.demo.firm import Customer, Document, DocumentKind, Item, Order
from qbwatch.demo.people import customer_names, make_customer
from qbwatch.demo.words import LINE_TEXTS, MEMOS, MESSAGES, PAYMENT_METHODS, SHIP_VIAS


class Scene(StrEnum):
    """What the story shows on purpose; each names one record of the books by its internal id."""

    REPEATED_LINES = "one product on three lines of an invoice, two of them identical"
    LOSES_A_LINE = "an invoice that has a line less in a later file"
    VOIDED = "an invoice that is void in a later file"
    PAID = "an invoice that is paid in a later file"
    PAID_IN_PARTS = "an invoice partially paid in the morning, paid in the file of the afternoon"
    REOPENED = "a paid invoice that is open again, since the payment came back"
    NUMBER_FIRST = "the first invoice with a number that a second one uses, too"
    NUMBER_SECOND = "the second invoice with that number"
    LATE_CUSTOMER = "a customer whose invoice comes a day before the customer's own row"
    LATE_CUSTOMERS_INVOICE = "the invoice of that customer"
    RECEIPT_CORRECTED = "a receipt of the damaged file that a later file corrects"
    RECEIPT_VOIDED = "a sales receipt that is void in a later file"
    INACTIVE = "a customer made inactive while the export has no Status column"


@dataclass(slots=True)
class Desk:
    """Whoever enters things. Every draw comes from ``rng``, so one seed gives one history."""

    rng: Random
    books: Books
    numbers: Numbers
    names: Iterator[str]
    scenes: dict[Scene, str] = field(default_factory=dict)

    def welcome(self, on: date) -> Customer:
        """Enter a new customer."""
        customer = make_customer(self.rng, next(self.names), self.numbers.list_id(on), on)
        self.books.keep(customer)
        return customer

    def sell(
        self, kind: DocumentKind, on: date, customer: Customer | None = None, order: Order | None = None
    ) -> Document:
        """Enter a document; customer and order are drawn where none is given. An invoice is open, a receipt paid."""
        buyer = customer or self.any_customer()
        ordered = order or self.any_order(buyer)
        lines = bill(ordered)
        method = "" if kind is DocumentKind.INVOICE else self.rng.choice(PAYMENT_METHODS)
        document = Document(
            kind=kind,
            id=self.numbers.document_id(on),
            trans_no=self.numbers.next_trans_no(),
            number=self.numbers.next_number(kind),
            customer=buyer,
            day=on,
            order=ordered,
            lines=lines,
            ship_via=self.rng.choice(SHIP_VIAS),
            memo=self.rng.choice(MEMOS),
            message=self.rng.choice(MESSAGES),
            reference=self._reference(kind, method),
            payment_method=method,
            paid=Decimal("0.00"),
            modified=on,
        )
        if kind is DocumentKind.RECEIPT:
            document = replace(document, paid=document.total)
        self.books.keep(document)
        return document

    def show(self, scene: Scene, document: Document) -> Document:
        """Keep a document (or its new version) and remember that it plays this scene."""
        self.books.keep(document)
        self.scenes[scene] = document.id
        return document

    def playing(self, scene: Scene) -> Document:
        """The document that plays a scene, as the books have it now."""
        return self.books.documents[self.scenes[scene]]

    def any_customer(self) -> Customer:
        """One of the active customers."""
        return self.rng.choice([customer for customer in self.books.customers.values() if customer.active])

    def any_order(self, customer: Customer) -> Order:
        """One to five products, now and then the same one twice, on that customer's conditions."""
        chance = self.rng.random
        return Order(
            products=self._basket(self.rng.choice((1, 2, 2, 3, 3, 4, 5))),
            taxed=customer.taxed,
            discount=self.rng.choice((Decimal(5), Decimal("7.5"), Decimal(10))) if chance() < 0.14 else None,
            shipping=in_cents(self.rng.randrange(490, 4900)) if chance() < 0.6 else None,
            note=self.rng.choice(LINE_TEXTS) if chance() < 0.08 else "",
        )

    def products(self) -> list[Item]:
        """What can be ordered by the piece."""
        return [item for item in self.books.items.values() if is_sold(item)]

    def _basket(self, size: int) -> tuple[tuple[Item, Decimal], ...]:
        chosen = [(item, self._quantity(item)) for item in self.rng.sample(self.products(), size)]
        if self.rng.random() < 0.12:
            chosen.append(chosen[0])
        return tuple(chosen)

    def _quantity(self, item: Item) -> Decimal:
        """Loose tea is weighed, everything else is counted."""
        if item.unit.startswith("kilogram"):
            return Decimal(self.rng.randrange(1, 11)) / 2
        return Decimal(self.rng.choice((1, 1, 2, 3, 4, 6, 6, 12, 24)))

    def _reference(self, kind: DocumentKind, method: str) -> str:
        """The buyer's order number on an invoice, the number of the check on a receipt."""
        if kind is DocumentKind.INVOICE:
            return f"PO-{self.rng.randrange(1000, 9999)}" if self.rng.random() < 0.4 else ""
        return str(self.rng.randrange(1000, 9999)) if method == "Check" else ""


def open_desk(rng: Random) -> Desk:
    """A desk with empty books."""
    return Desk(rng, Books(), Numbers(rng), customer_names(rng))
