"""What happens at the firm while the story runs: everyday business, and the scenes shown on purpose.

Four stretches of time lie between the exports: the business day before the first one, the first day, the morning of
the second day, and the rest of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from qbwatch.demo.billing import pay, percent_of, to_cents, void, without_product
from qbwatch.demo.catalogue import TASTING, make_novelty
from qbwatch.demo.desk import Desk, Scene
from qbwatch.demo.firm import Customer, Document, DocumentKind, DocumentState, Order
from qbwatch.demo.history import customer_named
from qbwatch.demo.words import FOREIGN_CUSTOMERS


def happen_before_the_first_day(desk: Desk, day: date, a_day: int) -> None:
    """A new product, an invoice with repeated lines for a customer with accents, and a payment."""
    _do_business(desk, day, a_day)
    desk.books.keep(make_novelty(desk.rng, desk.numbers.list_id(day), day))
    _repeat_lines(desk, day)
    owed = desk.playing(Scene.PAID)
    desk.show(Scene.PAID, pay(owed, owed.total, day))
    desk.show(Scene.RECEIPT_VOIDED, desk.sell(DocumentKind.RECEIPT, day))


def happen_on_the_first_day(desk: Desk, day: date, a_day: int) -> None:
    """An invoice loses a line, one is paid in part, a number is used again; the damaged file's receipts."""
    _do_business(desk, day, a_day)
    desk.show(Scene.LOSES_A_LINE, without_product(desk.playing(Scene.LOSES_A_LINE), 1, day))
    owed = desk.playing(Scene.PAID_IN_PARTS)
    desk.show(Scene.PAID_IN_PARTS, pay(owed, percent_of(owed.total, Decimal(40)), day))
    _use_a_number_again(desk, day)
    _make_inactive(desk, day)
    desk.show(Scene.RECEIPT_CORRECTED, desk.sell(DocumentKind.RECEIPT, day, order=_three_products(desk)))
    _charge_a_tasting(desk, day)


def happen_on_the_second_morning(desk: Desk, day: date) -> None:
    """A customer comes in and is billed at once; the rest of a part payment arrives."""
    customer = desk.welcome(day)
    desk.scenes[Scene.LATE_CUSTOMER] = customer.id
    desk.show(Scene.LATE_CUSTOMERS_INVOICE, desk.sell(DocumentKind.INVOICE, day, customer))
    owed = desk.playing(Scene.PAID_IN_PARTS)
    desk.show(Scene.PAID_IN_PARTS, pay(owed, owed.total, day))


def happen_on_the_second_afternoon(desk: Desk, day: date, a_day: int) -> None:
    """An invoice and a receipt become void, a payment comes back, a receipt is corrected."""
    _do_business(desk, day, a_day)
    desk.show(Scene.VOIDED, void(desk.playing(Scene.VOIDED), day))
    desk.show(Scene.RECEIPT_VOIDED, void(desk.playing(Scene.RECEIPT_VOIDED), day))
    returned = pay(desk.playing(Scene.REOPENED), Decimal("0.00"), day)
    desk.show(Scene.REOPENED, replace(returned, memo="Payment returned by the bank"))
    corrected = without_product(desk.playing(Scene.RECEIPT_CORRECTED), 0, day)
    desk.show(Scene.RECEIPT_CORRECTED, pay(corrected, corrected.total, day))


def _do_business(desk: Desk, day: date, a_day: int) -> None:
    """New customers, sales, payments, and changes of prices, stock and telephone numbers."""
    newcomers = [desk.welcome(day), desk.welcome(day)]
    desk.sell(DocumentKind.INVOICE, day, newcomers[0])
    for _ in range(a_day):
        desk.sell(DocumentKind.INVOICE, day)
        desk.sell(DocumentKind.RECEIPT, day)
    for owed in _payable(desk)[:2]:
        desk.books.keep(pay(owed, owed.total, day))
    for customer in desk.rng.sample(sorted(desk.books.customers), 2):
        phone = f"(908) 555-01{desk.rng.randrange(100):02d}"
        desk.books.keep(replace(desk.books.customers[customer], phone=phone, modified=day))
    _change_items(desk, day)


def _payable(desk: Desk) -> list[Document]:
    """Open invoices that play no scene, oldest first."""
    on_stage = set(desk.scenes.values())
    invoices = desk.books.of_kind(DocumentKind.INVOICE)
    return [invoice for invoice in invoices if invoice.state is DocumentState.OPEN and invoice.id not in on_stage]


def _change_items(desk: Desk, day: date) -> None:
    """Two prices go up by four percent, and the stock of some items changes."""
    for position, item in enumerate(desk.rng.sample(desk.products(), 8)):
        factor = Decimal("1.04") if position < 2 else Decimal(1)
        price = to_cents((item.price or Decimal(0)) * factor)
        desk.books.keep(replace(item, price=price, on_hand=desk.rng.randrange(0, 400), modified=day))


def _repeat_lines(desk: Desk, day: date) -> None:
    """One product on three lines, two of them alike in every cell."""
    item, other = desk.products()[:2]
    products = ((item, Decimal(4)), (other, Decimal(2)), (item, Decimal(4)), (item, Decimal(1)))
    order = Order(products, taxed=True, shipping=Decimal("31.20"))
    document = desk.sell(DocumentKind.INVOICE, day, customer_named(desk, FOREIGN_CUSTOMERS[0]), order)
    desk.show(Scene.REPEATED_LINES, replace(document, memo="For the “fête” – don’t deliver early,\nring twice"))


def _use_a_number_again(desk: Desk, day: date) -> None:
    first = desk.playing(Scene.NUMBER_FIRST)
    buyer = next(customer for customer in desk.books.customers.values() if customer.id != first.customer.id)
    second = desk.sell(DocumentKind.INVOICE, day, buyer)
    desk.show(Scene.NUMBER_SECOND, replace(second, number=first.number))


def _make_inactive(desk: Desk, day: date) -> None:
    customer: Customer = desk.any_customer()
    desk.books.keep(replace(customer, active=False, modified=day))
    desk.scenes[Scene.INACTIVE] = customer.id


def _three_products(desk: Desk) -> Order:
    return Order(tuple((item, Decimal(3)) for item in desk.products()[3:6]), taxed=False, shipping=Decimal("9.90"))


def _charge_a_tasting(desk: Desk, day: date) -> None:
    """A tasting held on the last day of the month before.

    That day's number is above twelve in every month, so a file that writes it day first can't pass as month first.
    """
    tasting = next(item for item in desk.books.items.values() if item.name == TASTING)
    order = Order(((tasting, Decimal(14)),), taxed=False, service_day=day.replace(day=1) - timedelta(days=1))
    desk.sell(DocumentKind.RECEIPT, day, order=order)
