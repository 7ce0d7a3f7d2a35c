"""The same dataset in the words of several exporters, and what several datasets write alike."""

from __future__ import annotations

import pytest
from exports import csv_bytes, opened, records
from written_forms import FORMS

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import Kind, datasets, never_loaded
from qbwatch.formats.part import Part
from qbwatch.formats.recognise import EMPLOYEES
from qbwatch.formats.refusal import Refusal


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


@pytest.mark.parametrize(
    "header",
    [
        "Date,Type,Num,Product/Service,Description,Qty,Sales price,Amount,Balance",
        ",Type,Date,Num,Memo,Name,Item,Qty,U/M,Sales Price,Amount,Balance",
        ",Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance",
        "Trans #,Type,Date,Num,Adj,Name,Memo,Account,Class,Debit,Credit,Amount,Account Type,Description",
        "Customer full name,Transaction date,Transaction type,Num,Product/Service full name,Quantity,Amount",
        "Vendor,Date,Num,Due date,Amount,Open balance",
    ],
)
@pytest.mark.parametrize("name", ["export.csv", "Sales.csv", "Item.csv", "Bill.csv"])
def test_a_reports_columns_are_no_list_and_no_document(header: str, name: str) -> None:
    assert _found(header, name) in ("missing_columns", "unknown_layout", "name_disagrees", "ambiguous", Kind.PERIOD)


def _found(header: str, name: str) -> str:
    try:
        return part_of(header, name).layout.dataset.kind
    except Refusal as refusal:
        return refusal.failure.code
