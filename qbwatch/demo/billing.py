"""From an order to priced lines, and what can happen to a document afterwards.

Amounts are rounded half up to the cent, line by line, as a till does it; a document's total is the sum of its rounded
lines, so header and lines agree to the cent by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from qbwatch.demo.firm import Document, Item, Line, Order

SUBTOTAL = "Subtotal"
DISCOUNT = "Trade Discount"
SHIPPING = "Shipping"
SALES_TAX = "NJ Sales Tax"
TAX_PERCENT = Decimal("6.625")

_NOTHING = Decimal("0.00")


def in_cents(cents: int) -> Decimal:
    """So many cents as an amount with two places: 1550 is 15.50."""
    return Decimal(cents).scaleb(-2)


def to_cents(amount: Decimal) -> Decimal:
    """The amount rounded half up to two places."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, in whole cents."""
    return to_cents(amount * percent / 100)


def bill(order: Order) -> tuple[Line, ...]:
    """The lines of an order: its text, its products, then subtotal and discount, shipping and tax as ordered."""
    goods = tuple(_product_line(item, quantity, order.service_day) for item, quantity in order.products)
    text = (Line(description=order.note),) if order.note else ()
    return (*text, *goods, *_conditions(order, goods))


def _product_line(item: Item, quantity: Decimal, service_day: date | None) -> Line:
    price = item.price or _NOTHING
    return Line(
        product=item.name,
        description=item.description,
        quantity=quantity,
        rate=price,
        amount=to_cents(price * quantity),
        taxable=item.taxable,
        unit=item.unit,
        service_day=service_day if item.is_service else None,
    )


def _conditions(order: Order, goods: tuple[Line, ...]) -> Iterator[Line]:
    subtotal = _sum(goods)
    taxable = _sum(tuple(line for line in goods if line.taxable))
    if order.discount is not None:
        yield Line(product=SUBTOTAL, description=SUBTOTAL, amount=subtotal, counts=False)
        reduction = percent_of(subtotal, order.discount)
        yield Line(product=DISCOUNT, percent=-order.discount, amount=-reduction, taxable=True)
        taxable -= percent_of(taxable, order.discount)
    if order.shipping is not None:
        yield Line(product=SHIPPING, description="Parcel", rate=order.shipping, amount=order.shipping, taxable=False)
    if order.taxed:
        tax = percent_of(taxable, TAX_PERCENT)
        yield Line(product=SALES_TAX, description="Sales tax", percent=TAX_PERCENT, amount=tax, is_tax=True)


def _sum(lines: tuple[Line, ...]) -> Decimal:
    return sum((line.amount for line in lines if line.amount is not None), _NOTHING)


def void(document: Document, on: date) -> Document:
    """The document as QuickBooks keeps it once it is void: all lines there, every quantity and amount zero."""
    lines = tuple(
        replace(
            line,
            quantity=None if line.quantity is None else Decimal(0),
            amount=None if line.amount is None else _NOTHING,
        )
        for line in document.lines
    )
    memo = f"VOID: {document.memo}".strip()
    return replace(document, lines=lines, memo=memo, paid=_NOTHING, is_void=True, modified=on)


def pay(document: Document, amount: Decimal, on: date) -> Document:
    """The document with so much of it paid altogether; zero takes every payment back."""
    return replace(document, paid=amount, modified=on)


def without_product(document: Document, position: int, on: date) -> Document:
    """The document with one of its products struck out (counted from zero) and everything below reckoned anew."""
    products = document.order.products[:position] + document.order.products[position + 1 :]
    order = replace(document.order, products=products)
    return replace(document, order=order, lines=bill(order), modified=on)
