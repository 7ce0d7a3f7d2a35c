"""The nouns of the fictional firm, a tea wholesaler called Copperleaf Tea Traders, as its books hold them.

Everything is immutable: what happens to a document makes a new one, so an export can keep what it saw.
Money, prices and quantities are `Decimal`; dates are dates of the firm's own calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum


class DocumentKind(StrEnum):
    """What a document is: owed (an invoice) or paid at once (a sales receipt)."""

    INVOICE = "invoice"
    RECEIPT = "sales receipt"


class DocumentState(StrEnum):
    """What is true of a document's money; the first three words stand in the export's ``Status`` as `STATUS_TEXT`."""

    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"


STATUS_TEXT: dict[DocumentState, str] = {
    DocumentState.OPEN: "Open",
    DocumentState.PARTIALLY_PAID: "Partially Paid",
    DocumentState.PAID: "Paid",
    DocumentState.VOID: "Paid",  # QuickBooks counts a void invoice as settled
}

TERMS: dict[str, int] = {"Due on receipt": 0, "Net 15": 15, "2% 10 Net 30": 30, "Net 30": 30, "Net 60": 60}
"""Days until an invoice is due, by terms."""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address: up to five free lines, which may hold line breaks, and its parts."""

    lines: tuple[str, ...]
    city: str
    state: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, or a branch of one when the name has the form ``Parent:Branch``."""

    id: str
    name: str
    first_name: str
    last_name: str
    email: str
    phone: str
    kind: str
    terms: str
    rep: str
    account_number: str
    credit_limit: Decimal | None
    taxed: bool
    billing: Address
    shipping: Address
    notes: str
    created: date
    modified: date
    active: bool = True

    @property
    def company(self) -> str:
        """The parent's name for a branch, else its own."""
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Item:
    """A product or one of the rows that are none (shipping, discount, subtotal, tax).

    ``modified`` steers which daily export lists the item; the export itself has no such column.
    """

    id: str
    name: str
    type: str
    subtype: str
    description: str
    unit: str
    price: Decimal | None
    cost: Decimal | None
    taxable: bool
    on_hand: int | None
    modified: date

    @property
    def is_service(self) -> bool:
        """True for work done on a day of its own, which its line names."""
        return self.type == "Service"


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered and on which conditions: all that `billing.bill` needs to write the lines.

    ``discount`` and the tax are percentages (10 means ten percent off); ``note`` becomes a line of text alone.
    """

    products: tuple[tuple[Item, Decimal], ...]
    taxed: bool
    discount: Decimal | None = None
    shipping: Decimal | None = None
    note: str = ""
    service_day: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document. ``percent`` takes the place of ``rate``; a subtotal does not count towards the total."""

    product: str = ""
    description: str = ""
    quantity: Decimal | None = None
    rate: Decimal | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None
    taxable: bool | None = None
    unit: str = ""
    service_day: date | None = None
    counts: bool = True
    is_tax: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a sales receipt with its lines; ``modified`` is the day of its last change."""

    kind: DocumentKind
    id: str
    trans_no: int
    number: str
    customer: Customer
    day: date
    order: Order
    lines: tuple[Line, ...]
    ship_via: str
    memo: str
    message: str
    reference: str
    payment_method: str
    paid: Decimal
    modified: date
    is_void: bool = False

    @property
    def total(self) -> Decimal:
        """What the customer owes or has paid: the lines that count, tax included."""
        return sum((line.amount for line in self.lines if line.counts and line.amount is not None), Decimal("0.00"))

    @property
    def tax(self) -> Decimal:
        """The sales tax inside the total."""
        return sum((line.amount for line in self.lines if line.is_tax and line.amount is not None), Decimal("0.00"))

    @property
    def balance(self) -> Decimal:
        """What is still owed."""
        return self.total - self.paid

    @property
    def due(self) -> date:
        """The day by which it has to be paid."""
        days = TERMS[self.customer.terms] if self.kind is DocumentKind.INVOICE else 0
        return self.day + timedelta(days=days)

    @property
    def state(self) -> DocumentState:
        """What is true of its money; a void document is nothing else."""
        if self.is_void:
            return DocumentState.VOID
        if not self.balance:
            return DocumentState.PAID
        return DocumentState.PARTIALLY_PAID if self.paid else DocumentState.OPEN
