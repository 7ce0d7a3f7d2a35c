"""From the firm's records to the cells of the exporter's rows.

A record becomes one row per line (lists have one), with the header's values on every row. A cell is a value still:
text, number, date or truth; `exports` decides how a date is written. A column that a row does not name is blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from qbwatch.demo.billing import SALES_TAX, TAX_PERCENT
from qbwatch.demo.firm import STATUS_TEXT, Address, Customer, Document, Item, Line

Cell = str | int | Decimal | date | bool | None
Row = dict[str, Cell]


def customer_row(customer: Customer, balance: Decimal) -> Row:
    """The row of a customer who owes ``balance``."""
    return {
        "Customer Name": customer.name,
        "Company Name": customer.company,
        "First Name": customer.first_name,
        "Last Name": customer.last_name,
        "Main Email": customer.email,
        "Main Phone": customer.phone,
        "Customer Type": customer.kind,
        "Terms": customer.terms,
        "Sales Rep": customer.rep,
        "Preferred Delivery Method": "E-mail",
        "Credit Limit": None if customer.credit_limit is None else f"{customer.credit_limit:,.2f}",
        "Account Number": customer.account_number,
        "Current Balance": balance,
        "Tax Code": _tax_code(customer.taxed),
        "Tax Item": SALES_TAX if customer.taxed else None,
        **_address("Billing", customer.billing, " "),
        **_address("Shipping", customer.shipping, " "),
        "Job Status": "In progress" if ":" in customer.name else None,
        "Notes": customer.notes,
        "Status": customer.active,
        "Created Date": customer.created,
        "Modified Date": customer.modified,
        "QuickBooks Internal Id": customer.id,
    }


def item_row(item: Item) -> Row:
    """The row of an item; only what is kept in stock has accounts and quantities."""
    row: Row = {
        "Item Name": item.name,
        "Item Type": item.type,
        "Item Subtype": item.subtype,
        "U/M": item.unit,
        "Purchase Cost": item.cost,
        "Sales Price": item.price,
        "Sales Description": item.description,
        "Sales Tax Code": _tax_code(item.taxable),
        "Income Account": "Sales:Tea & Ware" if item.price is not None else None,
        "Status": True,
        "QuickBooks Internal Id": item.id,
    }
    if item.on_hand is not None:
        row |= {
            "COGS Account": "Cost of Goods Sold",
            "Asset Account": "Inventory Asset",
            "Quantity On Hand": item.on_hand,
            "Quantity On Order": 0,
            "Quantity On Sales Order": 0,
        }
    return row


def invoice_rows(invoice: Document) -> Iterator[Row]:
    """One row per line of an invoice."""
    header: Row = {
        "Trans #": f"{invoice.trans_no:,}",
        "Invoice No": invoice.number,
        "Invoice Date": invoice.day,
        "Terms": invoice.customer.terms,
        "Status": STATUS_TEXT[invoice.state],
        "PO Number": invoice.reference,
        "Customer Message": invoice.message,
        "Template": "Copperleaf Invoice",
        "Sales Rep": invoice.customer.rep,
        "Sales Tax": SALES_TAX if invoice.order.taxed else None,
        "Tax Persentage": TAX_PERCENT if invoice.order.taxed else None,
        **_address("Billing", invoice.customer.billing, ""),
        **_address("Shipping", invoice.customer.shipping, ""),
        "AR Account": "Accounts Receivable",
        "Balance Due": invoice.balance,
        "Account Number": invoice.customer.account_number,
        **_shared_header(invoice),
    }
    for line in invoice.lines:
        tax_code = {"Product/Service Sales Tax": _tax_code(line.taxable)}
        yield {**header, **_line(line), "Product/Service  Amount": line.amount, **tax_code}


def receipt_rows(receipt: Document) -> Iterator[Row]:
    """One row per line of a sales receipt, whose addresses are shorter than an invoice's."""
    header: Row = {
        "Sales Receipt No": receipt.number,
        "Sales Receipt Date": receipt.day,
        "Payment Method": receipt.payment_method,
        "Reference No": receipt.reference,
        "Deposit To": "Undeposited Funds",
        "Message to Customer": receipt.message,
        "Template": "Copperleaf Receipt",
        "Is Pending": False,
        **_short_address("Billing", receipt.customer.billing),
        **_short_address("Shipping", receipt.customer.shipping),
        **_shared_header(receipt),
    }
    for line in receipt.lines:
        tax_code = {"Product/Service Sales Tax Code": _tax_code(line.taxable)}
        yield {**header, **_line(line), "Product/Service Amount": line.amount, **tax_code}


def _shared_header(document: Document) -> Row:
    return {
        "Customer": document.customer.name,
        "Due Date": document.due,
        "Ship Date": document.day if document.ship_via else None,
        "Shipping Method": document.ship_via,
        "Memo": document.memo,
        "Currency": "US Dollar",
        "Exchange Rate": 1,
        "Total Tax": document.tax,
        "Total Amount": document.total,
        "Customer Sales Tax Code": _tax_code(document.order.taxed),
        "Print Later": False,
        "Email Later": False,
        "Created Date": document.day,
        "Modified Date": document.modified,
        "QuickBooks Internal Id": document.id,
    }


def _line(line: Line) -> Row:
    return {
        "Product/Service": line.product,
        "Product/Service Description": line.description,
        "Product/Service Quantity": line.quantity,
        "Product/Service Rate": line.rate if line.percent is None else f"{line.percent.normalize():f}%",
        "Product/Service Service Date": line.service_day,
        "Unit of Measure": line.unit,
    }


def _tax_code(taxable: bool | None) -> str | None:
    return None if taxable is None else "Tax" if taxable else "Non"


def _address(prefix: str, address: Address, gap: str) -> Row:
    lines = {f"{prefix} Address Line{gap}{number}": line for number, line in enumerate(address.lines, start=1)}
    return {
        **lines,
        f"{prefix} Address City": address.city,
        f"{prefix} Address State": address.state,
        f"{prefix} Address Postal Code": address.postal_code,
        f"{prefix} Address Country": address.country,
    }


def _short_address(prefix: str, address: Address) -> Row:
    cells = _address(prefix, address, " ")
    del cells[f"{prefix} Address Country"]
    return cells
