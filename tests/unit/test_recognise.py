"""A file is what its header says; its name may only agree, and doubts go to a person."""

from __future__ import annotations

import pytest
from exports import CUSTOMER, INVOICE, csv_bytes, customers, invoices, opened, rejects

from qbwatch.core.model import FailureClass
from qbwatch.datasets import dataset_named
from qbwatch.formats.recognise import named_by, read_header
from qbwatch.formats.refusal import Refusal

ITEM = ("Item Name", "Item Type", "QuickBooks Internal Id")
ONE_CUSTOMER = customers(["80000001-1", "Acme"])


def refused(data: bytes, name: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        opened(data, name)
    assert caught.value.failure.failure_class is FailureClass.DATA
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("name", ["Customer_04_04_2025_1_00_02.csv", "customers.CSV", "export.csv", "x.txt"])
def test_the_header_decides_whatever_the_file_is_called(name: str) -> None:
    assert opened(ONE_CUSTOMER, name).layout.dataset is dataset_named("customers")


def test_reordered_columns_are_still_the_same_dataset() -> None:
    data = csv_bytes(tuple(reversed(INVOICE)), ["x"] * len(INVOICE))
    assert opened(data, "Invoice.csv").layout.dataset is dataset_named("invoices")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_delimiters_and_encodings_are_found_out(delimiter: str, encoding: str) -> None:
    data = ONE_CUSTOMER.decode().replace(",", delimiter).encode(encoding)
    part = opened(data, "Customer.csv")
    assert part.table.delimiter == delimiter
    assert [reading.line for reading in part.readings()] == [2]
    assert part.layout.header.columns[0] == "quickbooks_internal_id"


@pytest.mark.parametrize("above", [0, 1, 3, 7, 29])
def test_titles_and_blank_lines_may_stand_above_the_header(above: int) -> None:
    title = b"Acme LLC,,,,\r\n" + b"Customer,,,,\r\n,,,,\r\n" * 14
    data = b"".join(title.splitlines(keepends=True)[:above]) + ONE_CUSTOMER
    part = opened(data, "Customer.csv")
    assert part.layout.header.line == above + 1
    assert len(list(part.readings())) == 1


def test_a_name_that_says_something_else_than_the_content_is_a_question() -> None:
    refusal = refused(ONE_CUSTOMER, "Invoice_04_04_2025_2_00_03.csv")
    assert refusal.failure.code == "name_disagrees"
    assert "quickbooks.invoices" in refusal.message
    assert "quickbooks.customers" in refusal.message


def test_a_header_that_fits_two_datasets_is_a_question() -> None:
    refusal = refused(csv_bytes((*CUSTOMER, *ITEM[:2]), ["x"] * 7), "export.csv")
    assert refusal.failure.code == "ambiguous"
    assert "quickbooks.customers, quickbooks.items" in refusal.message


def test_missing_columns_are_listed_against_the_nearest_dataset() -> None:
    without = tuple(name for name in INVOICE if name not in ("Invoice No", "QuickBooks Internal Id"))
    for name in ("Invoice_04_04_2025_2_00_03.csv", "export.csv"):
        refusal = refused(csv_bytes(without, ["x"] * len(without)), name)
        assert refusal.failure.code == "missing_columns"
        assert "quickbooks.invoices, but without: invoice_no" in refusal.message


def test_a_layout_of_nothing_known_is_refused_as_such() -> None:
    assert refused(b"a,b\r\n1,2\r\n", "holiday plan.csv").failure.code == "unknown_layout"


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"\xef\xbb\xbf", b",,,\r\n,,,\r\n", b"\xff\xfe", b"  \t \n", b"\xef\xbb\xbf\r\n"]
)
def test_a_file_without_content_is_called_empty(data: bytes) -> None:
    assert refused(data, "Invoice.csv").failure.code == "empty_file"


def test_a_placeholder_of_nul_bytes_is_called_that() -> None:
    refusal = refused(b"\x00" * 4096, "Invoice.csv")
    assert refusal.failure.code == "empty_file"
    assert "NUL" in refusal.message


@pytest.mark.parametrize("tail", [b"\r\n", b"", b"\n"])
def test_a_header_without_rows_is_a_part_with_no_rows(tail: bytes) -> None:
    data = ",".join(INVOICE).encode() + tail
    assert list(opened(data, "Invoice.csv").readings()) == []


@pytest.mark.parametrize(
    ("stem", "dataset"),
    [
        ("Sales_Receipt", "sales_receipts"), ("sales receipt", "sales_receipts"), ("Sales", "sales_receipts"),
        ("Invoices", "invoices"), ("Customer", "customers"), ("Items", "items"),
    ],
)  # fmt: skip
def test_stems_name_datasets(stem: str, dataset: str) -> None:
    assert named_by(stem) is dataset_named(dataset)


def test_a_stem_that_names_nothing_has_no_opinion() -> None:
    assert named_by("export") is None
    assert named_by("") is None


def test_repeated_headers_are_numbered_past_every_name_that_is_taken() -> None:
    header = read_header(1, ["Name", "Name", "Name 2", "Name", "", "***"])
    assert header.columns == ("name", "name_3", "name_2", "name_4", "", "column_6")


def test_a_repeated_header_is_never_taken_for_another_declared_column() -> None:
    header = read_header(1, ["Other", "Other", "Memo"], dataset_named("sales_receipts"))
    assert header.columns == ("other", "other_3", "memo")


def test_a_quote_left_open_in_the_header_is_refused_not_raised() -> None:
    assert refused(b'"QuickBooks Internal Id,Customer Name\r\nx,y\r\n', "x.csv").failure.code == "unbalanced_quote"


def test_a_part_can_be_read_as_often_as_needed() -> None:
    part = opened(invoices({"A": [("x", "1.00")]}), "Invoice.csv")
    assert list(part.readings()) == list(part.readings()) != []


def test_a_nul_in_a_header_reaches_no_word_that_is_written_down() -> None:
    header = ("QuickBooks Internal Id", "Customer\x00 Name", "Credit\x00 Limit", "Route\x00")
    data = csv_bytes(header, ("8-1", "Acme", "x", ""))
    part = opened(data, "Customer.csv")
    assert part.layout.header.written == ("QuickBooks Internal Id", "Customer Name", "Credit Limit", "Route")
    assert part.layout.new == ("route",)
    assert rejects(data, "Customer.csv") == [(2, "Credit Limit", "x", "not an amount")]
