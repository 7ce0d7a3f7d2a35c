"""The same dataset in the words of several exporters, and what several datasets write alike."""

from __future__ import annotations

import pytest
from exports import csv_bytes, opened, records

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import Kind, datasets, never_loaded
from qbwatch.formats.part import Part
from qbwatch.formats.recognise import EMPLOYEES
from qbwatch.formats.refusal import Refusal

DESKTOP_LIST = (
    ',"Active Status","Customer","Balance","Balance Total","Company","Mr./Ms./...","First Name","M.I.","Last Name",'
    '"Primary Contact","Main Phone","Fax","Alt. Phone","Secondary Contact","Job Title","Main Email","Bill to 1",'
    '"Bill to 2","Bill to 3","Bill to 4","Bill to 5","Ship to 1","Ship to 2","Ship to 3","Ship to 4","Ship to 5",'
    '"Customer Type","Terms","Rep","Sales Tax Code","Tax item","Resale Num","Account No.","Credit Limit","Job Status",'
    '"Job Type","Job Description","Start Date","Projected End","End Date"'
)

# header → file name, dataset, the key's columns, and whether a column is left without a declaration
FORMS = {
    "Customer full name,Phone numbers,Email,Full name,Bill address,Ship address,Created on,Website,Terms,Note": (
        "Skerry Light LLC_Customer Contact List.csv", "customers", "customer_name"),
    DESKTOP_LIST: ("customer list.csv", "customers", "customer_name"),
    "JOB OR CUSTOMER NAME (REQUIRED),OPENING BALANCE,OPENING BALANCE AS OF (MMDDYYYY),COMPANY NAME,PHONE,EMAIL,"
    "BILLING ADDRESS 1,TERMS,CREDIT LIMIT": ("x.csv", "customers", "customer_name"),
    "Name,Company name,Street Address,City,State,Country,Zip,Phone,Email,Open Balance,Notes": (
        "Customers.csv", "customers", "customer_name"),
    "Full Name,Company,Email,Phone,Mobile,Fax,Website,Street,City,State,ZIP code,Country": (
        "Vendors.csv", "vendors", "vendor_name"),
    "Vendor,Phone numbers,Email,Full name,Address,Account #": ("x_Vendor Contact List.csv", "vendors", "vendor_name"),
    "S.No,Vendor Name,Company Name,Main Email,Main Phone,Terms,Status,Created Date,QuickBooks Internal Id": (
        "Vendor_04_14_2025.csv", "vendors", "quickbooks_internal_id"),
    "Product/Service Name,Sales Description,SKU,Type,Sales Price / Rate,Taxable,Income Account,Purchase Description,"
    "Purchase Cost,Expense Account,Quantity On Hand,Reorder Point,Inventory Asset Account": (
        "ProductServiceList__9341456449516862_04_13_2026.csv", "items", "item_name"),
    "Account #,Full name,Type,Detail type,Description,Total balance": (
        "Acme_Account List.csv", "accounts", "account_name"),
    "S.No,Account Name,Account Number,Account Type,Description,Current Balance,Status,QuickBooks Internal Id": (
        "Account.csv", "accounts", "quickbooks_internal_id"),
    "Name,Due days,Discount days": ("Terms.csv", "terms", "terms_name"),
    "*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Terms,Location,Memo,Item(Product/Service),ItemDescription,ItemQuantity,"
    "ItemRate,*ItemAmount,ItemTaxCode,ItemTaxAmount,Currency,ServiceDate": (
        "import.csv", "invoices", "invoice_no invoice_date customer"),
    "Num,Customer,Invoice Date,Product/Service,Product/Service Amount": (
        "x.csv", "invoices", "invoice_no invoice_date customer"),
    "Trans #,Transaction number,Customer,Invoice Date,Product/Service Amount": ("x.csv", "invoices", "trans_no"),
    "RefNumber,Customer,TxnDate,DueDate,ShipMethodName,SalesTerm,BillAddrLine1,BillAddrCity,PrivateNote,Msg,Currency,"
    "ExchangeRate,LineItem,LineQty,LineDesc,LineUnitPrice,LineAmount,LineClass,LineTaxable,LineServiceDate": (
        "Invoices.csv", "invoices", "invoice_no invoice_date customer"),
    "RefNumber,Customer,TxnDate,PaymentMethod,PaymentRefNumber,BankAccount,LineItem,LineQty,LineAmount": (
        "Sales Receipt.csv", "sales_receipts", "sales_receipt_no sales_receipt_date customer"),
    "DocNumber,Txn Date,Customer Ref Display Name,Line Description,Line Amount,Line Sales Item Ref,SKU,"
    "Line Sales Item Unit Price,Line Sales Item Qty": (
        "Estimate.csv", "estimates", "estimate_no estimate_date customer"),
    "Trans #,Credit Memo No,Customer,Credit Memo Date,Product/Service,Product/Service  Amount,QuickBooks Internal Id": (
        "Credit Memo.csv", "credit_memos", "quickbooks_internal_id"),
    "Sales Order No,Sales Order Date,Customer,Product/Service,Product/Service Amount": (
        "x.csv", "sales_orders", "sales_order_no sales_order_date customer"),
    "Purchase Order No,Purchase Order Date,Vendor,Product/Service,Product/Service Amount": (
        "x.csv", "purchase_orders", "purchase_order_no purchase_order_date vendor"),
    "BillNo,Supplier,BillDate,DueDate,Account,LineDescription,LineAmount": (
        "x.csv", "bills", "bill_no bill_date vendor"),
    "Bill Payment No,Bill Payment Date,Vendor,Total Amount,Bill No,Applied Amount": (
        "x.csv", "bill_payments", "bill_payment_no bill_payment_date vendor"),
    "RefNumber,TxnDate,PaymentRefNumber,Customer,PaymentMethod,DepositToAccount,InvoiceApplyTo,LineAmount": (
        "x.csv", "payments", "payment_no payment_date customer"),
    "Check No,Check Date,Payee,Bank Account,Expense Account,Expense Amount,Memo": (
        "x.csv", "checks", "check_no check_date payee"),
    "Reference No,Charge Date,Payee,Credit Card,Expense Account,Expense Amount,QuickBooks Internal Id": (
        "Credit Card Charge.csv", "credit_card_charges", "quickbooks_internal_id"),
    "RefNumber,TxnDate,DepositToAccount,Entity,LineDesc,LineAmount,Account": (
        "x.csv", "deposits", "deposit_no deposit_date deposit_to"),
    "JournalNo,JournalDate,AccountName,Debits,Credits,Description,Name": (
        "x.csv", "journal_entries", "journal_no journal_date"),
    "RefNumber,TxnDate,IsAdjustment,Account,LineAmount,LineDesc,Entity": (
        "Journal Entry.csv", "journal_entries", "journal_no journal_date"),
    "Adjustment No,Adjustment Date,Adjustment Account,Product/Service,Quantity Difference": (
        "x.csv", "inventory_adjustments", "adjustment_no adjustment_date adjustment_account"),
    "Build No,Build Date,Assembly Item,Build Quantity,Component,Component Quantity": (
        "x.csv", "build_assemblies", "build_no build_date assembly_item"),
}  # fmt: skip


def part_of(header: str, name: str) -> Part:
    return opened(header.encode() + b"\r\n", name)


@pytest.mark.parametrize("header", FORMS)
def test_a_header_is_recognised_in_every_form(header: str) -> None:
    name, dataset, key = FORMS[header]
    layout = part_of(header, name).layout
    assert (layout.dataset.name, " ".join(layout.key_columns)) == (dataset, key)
    assert layout.new == ()
    assert layout.withheld == ()


def test_every_list_and_document_is_recognised_in_some_form() -> None:
    flat = {dataset.name for dataset in datasets().values() if dataset.kind is not Kind.PERIOD}
    assert {dataset for _, dataset, _ in FORMS.values()} == flat


@pytest.mark.parametrize(
    "header", [header for header in FORMS if header.startswith(("RefNumber,Customer", "DocNumber"))]
)
def test_what_several_datasets_write_alike_needs_a_name(header: str) -> None:
    with pytest.raises(Refusal) as caught:
        part_of(header, "export.csv")
    assert caught.value.failure.code == "ambiguous"
    assert "quickbooks.invoices" in caught.value.message
    assert "name the file after what it holds" in caught.value.hint


def test_a_title_may_stand_above_a_header_that_needs_the_name() -> None:
    data = b"Acme LLC,,\r\nCustomers,,\r\nName,Email,Phone\r\nB,b@b.example,1\r\n"
    part = opened(data, "Customers.csv")
    assert part.layout.header.line == 3
    assert [record.key for record in records(data, "Customers.csv")] == ["B"]


def test_a_column_under_its_own_name_comes_before_its_aliases_and_nothing_is_read_twice() -> None:
    header = ("Num", "Invoice No", "Transaction number", "Invoice Date", "Customer", "Product/Service Amount")
    data = csv_bytes(header, ("9", "A-1", "7", "04-01-2025", "Acme", "1.00"))
    (record,) = records(data, "x.csv")
    assert record.key == "A-1 | 2025-04-01 | Acme"
    assert record.extra == '{"num": "9", "transaction_number": "7"}'


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Employee_04_14_2025_1_00_05.csv", "Name,Main Phone,SSN,Hired Date"),
        ("Employees.csv", "Full name,Email,Phone"),
        ("export.csv", "Employee,Phone numbers,Email,Address"),
        ("export.csv", "Employee Name,Social Security No,Pay Rate"),
    ],
)
def test_employees_are_refused_by_a_rule_of_their_own(name: str, header: str) -> None:
    with pytest.raises(Refusal) as caught:
        part_of(header, name)
    assert caught.value.failure.code == EMPLOYEES
    assert caught.value.message == "employees are never loaded"


SECRET = "078-05-1120"


@pytest.mark.parametrize(
    "header",
    ["SSN", "SSNO", "Social Security No", "Vendor Tax ID", "TAXID", "Bank Account No.", "Bank Account", "BANKNUM",
     "Routing Number", "IBAN", "Credit Card Number", "Card No", "Card Number", "CC Exp", "CVV", "Date of Birth",
     "Driver's License", "BSB"],
)  # fmt: skip
def test_numbers_of_persons_banks_and_cards_never_get_past_the_reader(header: str) -> None:
    data = csv_bytes(
        ("QuickBooks Internal Id", "Customer Name", header, "Shoe Size"),
        ("8-1", "A", SECRET, "9"),
        ("", "B", SECRET, "9"),
    )
    part = opened(data, "Customer.csv")
    assert len(part.layout.withheld) == 1
    assert part.layout.new == ("shoe_size",)
    assert SECRET not in repr(list(part.readings()))


def test_no_declared_column_looks_like_one_that_is_never_loaded_but_the_accounts_of_the_books() -> None:
    named = {column for each in datasets().values() for column in each.columns if never_loaded().search(column)}
    assert named == {"bank_account", "card_account"}  # names of accounts, on checks and charges


def test_an_import_template_prints_a_document_once_and_its_lines_below() -> None:
    header = "InvoiceNo,Customer,InvoiceDate,DueDate,Item(Product/Service),ItemQuantity,ItemRate,ItemAmount,ItemTaxCode"
    rows = (
        "S-1,Acme,16/03/2025,15/04/2025,Wall,6.5,140.00,910.00,20.0% S\n"
        "S-1,,,,Coping,12,18.25,219.00,20.0% S\n"
        ",,,,Coping,12,18.25,219.00,20.0% S\n"
        "S-2,Acme,03/04/2025,,Wall,1,-45.50,-45.50,0.0% Z\n"
    )
    part = opened(f"{header}\n{rows}".encode(), "invoice_import_uk.csv", DateOrder.DMY)
    found = list(part.readings())
    assert [(record.key, record.ordinal) for record in found] == [  # type: ignore[union-attr]
        ("S-1 | 2025-03-16 | Acme", 1), ("S-1 | 2025-03-16 | Acme", 2), ("S-1 | 2025-03-16 | Acme", 3),
        ("S-2 | 2025-04-03 | Acme", 1),
    ]  # fmt: skip
    place = part.layout.columns.index("invoice_date")
    assert [record.values[place] for record in found] == ["2025-03-16", None, None, "2025-04-03"]  # type: ignore[union-attr]
