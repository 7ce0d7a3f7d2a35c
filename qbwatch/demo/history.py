"""The year before the story begins: the books as the full exports show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from qbwatch.demo.billing import pay, percent_of
from qbwatch.demo.catalogue import make_items
from qbwatch.demo.desk import Desk, Scene
from qbwatch.demo.firm import Customer, Document, DocumentKind, Order
from qbwatch.demo.words import FOREIGN_CUSTOMERS

_DAYS_OF_HISTORY = 330


@dataclass(frozen=True, slots=True)
class Scale:
    """How much the full exports hold, and how many invoices and receipts a business day brings."""

    customers: int = 120
    items: int = 60
    invoices: int = 220
    receipts: int = 120
    a_day: int = 6

    def __post_init__(self) -> None:
        """Raises ValueError when there is too little to play the story's scenes with."""
        least = (len(FOREIGN_CUSTOMERS), 20, _SET_ASIDE, 0, 0)
        given = (self.customers, self.items, self.invoices, self.receipts, self.a_day)
        if any(number < limit for number, limit in zip(given, least, strict=True)):
            raise ValueError(f"the story needs at least {least[0]} customers, {least[1]} items and {least[2]} invoices")


def is_business_day(day: date) -> bool:
    """Monday to Friday; the fictional firm knows no holidays."""
    return day.weekday() < 5


def business_days_until(last: date, how_many: int) -> tuple[date, ...]:
    """So many business days in ascending order, the last of them on or before ``last``."""
    found: list[date] = []
    day = last
    while len(found) < how_many:
        if is_business_day(day):
            found.append(day)
        day -= timedelta(days=1)
    return tuple(reversed(found))


def write_history(desk: Desk, scale: Scale, until: date) -> None:
    """Fill empty books with customers, items and documents of the days before ``until``."""
    first = until - timedelta(days=_DAYS_OF_HISTORY)
    for item in make_items(desk.rng, scale.items, desk.numbers.list_id, first):
        desk.books.keep(item)
    for _ in range(scale.customers):
        desk.welcome(first - timedelta(days=desk.rng.randrange(1, 1500)))
    days = [first + timedelta(days=n) for n in range(_DAYS_OF_HISTORY)]
    open_days = [day for day in days if is_business_day(day)]
    entries = [(day, DocumentKind.INVOICE) for day in desk.rng.choices(open_days, k=scale.invoices - _SET_ASIDE)]
    entries += [(day, DocumentKind.RECEIPT) for day in desk.rng.choices(open_days, k=scale.receipts)]
    for day, kind in sorted(entries):
        _settle(desk, desk.sell(kind, day), until)
    _set_the_stage(desk, open_days[-1])


def _settle(desk: Desk, document: Document, until: date) -> None:
    """Old invoices are paid, young ones mostly not, some in part; the payment is a later change of the document."""
    age = (until - document.day).days
    mood = desk.rng.random()
    if document.kind is DocumentKind.RECEIPT or age < 8 or (age < 45 and mood < 0.5):
        return
    share = Decimal(50) if age < 45 and mood < 0.6 else Decimal(100)
    paid_on = document.day + timedelta(days=desk.rng.randrange(1, min(age, 40)))
    desk.books.keep(pay(document, percent_of(document.total, share), paid_on))


_Opening = Callable[[Desk, date], None]


def _open_invoice(scene: Scene) -> _Opening:
    """An open invoice with three products, discount, shipping and text, which a later scene changes."""

    def enter(desk: Desk, on: date) -> None:
        desk.show(scene, desk.sell(DocumentKind.INVOICE, on, order=_full_order(desk)))

    return enter


def _paid_invoice(desk: Desk, on: date) -> None:
    document = desk.sell(DocumentKind.INVOICE, on, order=_full_order(desk))
    desk.show(Scene.REOPENED, pay(document, document.total, on))


def _full_order(desk: Desk) -> Order:
    products = tuple((item, Decimal(quantity)) for item, quantity in zip(desk.products(), (6, 2, 12), strict=False))
    return Order(products, taxed=True, discount=Decimal(10), shipping=Decimal("18.40"), note="Pack with care")


_OPENINGS: tuple[_Opening, ...] = (
    _open_invoice(Scene.LOSES_A_LINE),
    _open_invoice(Scene.VOIDED),
    _open_invoice(Scene.PAID),
    _open_invoice(Scene.PAID_IN_PARTS),
    _open_invoice(Scene.NUMBER_FIRST),
    _paid_invoice,
)
_SET_ASIDE = len(_OPENINGS)


def _set_the_stage(desk: Desk, on: date) -> None:
    for opening in _OPENINGS:
        opening(desk, on)


def customer_named(desk: Desk, name: str) -> Customer:
    """The customer of that name. Raises StopIteration when the books have none."""
    return next(customer for customer in desk.books.customers.values() if customer.name == name)
