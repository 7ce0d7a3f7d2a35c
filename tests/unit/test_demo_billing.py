"""How the fictional firm reckons an invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import pytest

from qbwatch.demo.billing import bill, pay, to_cents, void, without_product
from qbwatch.demo.desk import open_desk
from qbwatch.demo.firm import Document, DocumentKind, DocumentState, Item, Order

DAY = date(2026, 3, 9)
TEA = Item("80000001-1", "TEA", "Inventory", "ItemInventory", "", "", Decimal("3.35"), None, True, 1, DAY)
CUP = replace(TEA, id="80000002-1", name="CUP", price=Decimal("10.00"), taxable=False)


@pytest.fixture
def invoice() -> Document:
    desk = open_desk(Random(1))
    order = Order(((TEA, Decimal(3)), (CUP, Decimal(1))), True, Decimal(10), Decimal("5.00"), note="fragile")
    return desk.sell(DocumentKind.INVOICE, DAY, desk.welcome(DAY), order)


def amounts(document: Document) -> list[str]:
    return ["" if line.amount is None else str(line.amount) for line in document.lines]


def test_half_a_cent_is_rounded_up() -> None:
    assert to_cents(Decimal("1.005")) == Decimal("1.01")
    assert to_cents(Decimal("-1.005")) == Decimal("-1.01")


def test_a_discount_takes_from_the_subtotal_and_tax_from_what_is_taxable(invoice: Document) -> None:
    # 3 × 3.35 = 10.05 taxable, 10.00 not; 10 % of 20.05 is 2.01; 6.625 % of (10.05 - 1.01) is 0.60
    assert amounts(invoice) == ["", "10.05", "10.00", "20.05", "-2.01", "5.00", "0.60"]
    assert invoice.total == Decimal("23.64")
    assert invoice.tax == Decimal("0.60")


def test_an_order_without_conditions_has_product_lines_alone() -> None:
    assert [line.product for line in bill(Order(((TEA, Decimal(1)), (TEA, Decimal(1))), taxed=False))] == ["TEA", "TEA"]


def test_payments_move_an_invoice_from_open_to_paid_and_back(invoice: Document) -> None:
    states = [pay(invoice, Decimal(paid), DAY).state for paid in ("0", "1.00", "23.64", "0")]
    assert states == [DocumentState.OPEN, DocumentState.PARTIALLY_PAID, DocumentState.PAID, DocumentState.OPEN]


def test_a_void_invoice_owes_nothing_and_keeps_its_prices(invoice: Document) -> None:
    gone = void(pay(invoice, Decimal("1.00"), DAY), DAY)
    assert gone.state is DocumentState.VOID
    assert (gone.total, gone.tax, gone.balance) == (0, 0, 0)
    assert amounts(gone) == ["", *["0.00"] * 6]
    assert [line.rate for line in gone.lines] == [line.rate for line in invoice.lines]
    assert gone.memo.startswith("VOID:")


def test_striking_a_product_out_reckons_the_rest_anew(invoice: Document) -> None:
    shorter = without_product(invoice, 0, DAY)
    assert amounts(shorter) == ["", "10.00", "10.00", "-1.00", "5.00", "0.00"]
    assert shorter.total == Decimal("14.00")


def test_an_invoice_is_due_by_its_terms_and_a_receipt_at_once(invoice: Document) -> None:
    in_a_month = replace(invoice, customer=replace(invoice.customer, terms="2% 10 Net 30"))
    assert in_a_month.due == date(2026, 4, 8)
    assert replace(in_a_month, kind=DocumentKind.RECEIPT).due == DAY
