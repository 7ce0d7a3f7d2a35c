"""All files of a dataset are keyed alike: the same record by two kinds of key would be two records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from books import Books, open_books
from exports import csv_bytes
from small_exports import NOON, Office

from qbwatch.edges.loader import LoadRefused

BY_ID = csv_bytes(("QuickBooks Internal Id", "Customer Name", "Main Email"), ("8-1", "Acme", "a@acme.example"))
BY_NAME = csv_bytes(("Customer full name", "Phone numbers", "Email"), ("Acme", "1", "b@acme.example"))
NUMBERS = ("Invoice No", "Invoice Date", "Customer", "Product/Service", "Product/Service Amount")
LINES = (("A-1", "04-01-2025", "Acme", "Rope", "1.00"), ("", "", "", "Tar", "2.00"))
FIRST, SECOND, THIRD = (f"Customer_04_0{day}_2025_1_00_02.csv" for day in (1, 2, 3))


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("before", "after"), [(BY_ID, BY_NAME), (BY_NAME, BY_ID)], ids=["ids first", "names first"])
@pytest.mark.parametrize("names", [(FIRST, SECOND), (SECOND, FIRST)], ids=["in time", "late"])
def test_a_list_with_another_kind_of_key_is_refused_whichever_came_first_and_whenever_it_speaks_for(
    before: bytes, after: bytes, names: tuple[str, str], books: Books
) -> None:
    books.load(names[0], before)
    kept = books.rows("customers", "_key, main_email")
    with pytest.raises(LoadRefused) as caught:
        books.load(names[1], after)
    assert "the same ones would be there twice" in caught.value.failure.reason
    assert "quickbooks_internal_id" in caught.value.failure.reason
    assert "customer_name" in caught.value.failure.reason
    assert "qbwatch revert" in caught.value.failure.hint
    assert books.rows("customers", "_key, main_email") == kept


def test_lists_without_ids_follow_one_another(books: Books) -> None:
    books.load(FIRST, BY_NAME)
    later = csv_bytes(("Customer full name", "Phone numbers"), ("Acme\u00a0", "2"), ("Beta", "3"))
    assert books.load(SECOND, later).rows.updated == 1
    assert books.rows("customers", "_key, customer_name, phone_numbers, main_email") == [
        ("Acme", "Acme\u00a0", "2", "b@acme.example"), ("Beta", "Beta", "3", None)
    ]  # fmt: skip


def test_documents_printed_without_ids_replace_each_other_and_no_other_kind_joins_them(books: Books) -> None:
    books.load("Invoice_04_01_2025_2_00_03.csv", csv_bytes(NUMBERS, *LINES))
    result = books.load("Invoice_04_02_2025_2_00_03.csv", csv_bytes(NUMBERS, LINES[0]))
    assert (result.rows.unchanged, result.rows.removed) == (1, 1)
    assert books.lines() == {"A-1 | 2025-04-01 | Acme": [("Rope", "1.00")]}
    for header, cell in ((("Trans #", *NUMBERS), "7"), (("QuickBooks Internal Id", *NUMBERS), "7-1")):
        with pytest.raises(LoadRefused, match="would be there twice"):
            books.load("Invoice_04_03_2025_2_00_03.csv", csv_bytes(header, (cell, *LINES[0])))
    assert books.lines() == {"A-1 | 2025-04-01 | Acme": [("Rope", "1.00")]}


def test_a_continuation_line_is_keyed_as_its_document(books: Books) -> None:
    books.load("Invoice_04_01_2025_2_00_03.csv", csv_bytes(NUMBERS, *LINES))
    result = books.load("Invoice_04_02_2025_2_00_03.csv", csv_bytes(NUMBERS, *LINES))
    assert (result.rows.read, result.rows.unchanged) == (2, 2)


def test_the_file_is_set_aside_for_a_person_and_the_others_go_on(database_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path, database_url)
    office.drop(FIRST, BY_ID)
    office.work()
    office.drop("Acme_Customer Contact List.csv", BY_NAME, mtime=NOON)
    office.drop(THIRD, BY_ID.replace(b"a@acme", b"c@acme"))
    office.work()
    assert [state for _, state in office.states()] == ["loaded", "quarantined", "loaded"]
    assert office.query("SELECT failure_code FROM qbwatch.work_items WHERE state = 'quarantined'") == [("other_key",)]
    assert office.query("SELECT _key, main_email FROM raw.quickbooks_customers") == [("8-1", "c@acme.example")]
