"""Which file is this? Copies, twins, placeholders, wrong clocks, and files that go while they wait."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_exports import NOON, Office, customers, invoices

from qbwatch.core.arrival import Admission
from qbwatch.core.filename import name_of_copies


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    return Office(tmp_path, database_url)


CAFE = "Invoice_Café_04_17_2025_2_00_03.csv"
COPIES = {
    "Invoice_04_17_2025_2_00_03.csv": "Invoice_04_17_2025_2_00_03 (1).csv",
    "invoice_04_17_2025_2_00_03.csv": "INVOICE_04_17_2025_2_00_03.CSV",
    "Invoices/Invoice_04_17_2025_2_00_03.csv": "Invoices/Invoice_04_17_2025_2_00_03 (1)(1).csv",
    unicodedata.normalize("NFC", CAFE): unicodedata.normalize("NFD", CAFE),
}


@pytest.mark.parametrize(("name", "copy"), COPIES.items())
def test_a_copy_with_other_bytes_for_the_same_moment_waits_for_a_person_and_doubles_nothing(
    office: Office, name: str, copy: str
) -> None:
    office.drop(name, invoices(A=["10.00"], B=["5.00"]))
    office.work()
    office.drop(copy, invoices(A=["11.00"], B=["5.00"]))
    office.work()
    assert office.lines() == [("A", "10.00"), ("B", "5.00")]
    [(state, code, reason)] = office.query(
        "SELECT state, failure_code, reason FROM qbwatch.work_items ORDER BY id DESC LIMIT 1"
    )
    assert (state, code) == ("quarantined", "rival_copy")
    assert all(shown in str(reason) for shown in (name, copy))


@pytest.mark.parametrize(("name", "copy"), COPIES.items())
def test_a_copy_with_the_same_bytes_is_a_duplicate(office: Office, name: str, copy: str) -> None:
    office.drop(name, invoices(A=["10.00"]))
    office.drop(copy, invoices(A=["10.00"]))
    assert [state for _, state in office.states()] == ["pending", "skipped"]


def test_a_copy_is_weighed_against_one_that_still_waits_too(office: Office) -> None:
    office.drop("Invoice_04_17_2025.csv", invoices(A=["10.00"]))
    office.drop("Invoice_04_17_2025 (1).csv", invoices(A=["11.00"]))
    assert [state for _, state in office.states()] == ["pending", "quarantined"]


def test_another_export_of_the_same_moment_is_no_copy(office: Office) -> None:
    office.drop("Invoice_04_17_2025.csv", invoices(A=["10.00"]))
    office.drop("Invoice_Branch_04_17_2025.csv", invoices(B=["11.00"]))
    office.drop("Invoice_04_17_2025_2.csv", invoices(C=["12.00"]))
    assert {state for _, state in office.states()} == {"pending"}


def test_a_download_made_anew_is_a_later_statement(office: Office) -> None:
    office.drop("Invoices.csv", invoices(A=["10.00"]))
    office.drop("Invoices (1).csv", invoices(A=["11.00"]), mtime=NOON + timedelta(hours=1))
    office.work()
    assert office.lines() == [("A", "11.00")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a/Invoices.csv", b"a/invoices (2).CSV"),
        (b"Invoices.csv", b"Invoices (1)(1).csv"),
        ("é.csv".encode(), "e\u0301.csv".encode()),
        (b"caf\xe9.csv", b"CAF\xe9 (1).csv"),
    ],
)
def test_copies_have_one_name(one: bytes, other: bytes) -> None:
    assert name_of_copies(one) == name_of_copies(other)


@pytest.mark.parametrize("other", [b"Invoices 1.csv", b"Invoices (A).csv", b"b/Invoices.csv", b"Invoices (2024).csv"])
def test_other_files_have_other_names(other: bytes) -> None:
    assert name_of_copies(other) != name_of_copies(b"Invoices.csv")


def test_a_clock_that_was_wrong_does_not_outdo_what_comes_later(office: Office) -> None:
    office.drop("Invoices.csv", invoices(A=["10.00"]), mtime=datetime(2099, 1, 1, tzinfo=UTC))
    office.drop("More.csv", invoices(A=["11.00"]), mtime=office.at + timedelta(seconds=2))
    office.work()
    assert office.lines() == [("A", "11.00")]
    assert office.query("SELECT max(as_of) <= max(settled_at) FROM qbwatch.files") == [(True,)]


@pytest.mark.parametrize("year", [1970, 2019])
def test_an_old_time_keeps_nothing_out(office: Office, year: int) -> None:
    office.drop("Invoices.csv", invoices(A=["10.00"]), mtime=datetime(year, 1, 2, tzinfo=UTC))
    office.work()
    assert office.lines() == [("A", "10.00")]


@pytest.mark.parametrize("content", [bytes(4096), invoices(A=["10.00"]) + bytes(2048)])
def test_a_placeholder_is_waited_for_and_then_named(office: Office, content: bytes) -> None:
    name = "Invoice_04_17_2025.csv"
    assert office.drop(name, content) is Admission.DOUBTED
    assert office.states() == []
    office.drop(name, content, patience_over=True)
    assert office.query("SELECT state, failure_code FROM qbwatch.work_items") == [("quarantined", "placeholder")]
    office.drop(name, invoices(A=["10.00"]))
    office.work()
    assert office.lines() == [("A", "10.00")]
    assert ("quarantined",) not in office.query("SELECT state FROM qbwatch.work_items")


def test_an_empty_file_is_named_as_one_and_clears_nothing(office: Office) -> None:
    office.drop("Invoice_04_17_2025.csv", invoices(A=["10.00"]))
    office.work()
    office.drop("Invoice_04_18_2025.csv", b"", patience_over=True)
    office.work()
    [(state, reason)] = office.query("SELECT state, reason FROM qbwatch.work_items ORDER BY id DESC LIMIT 1")
    assert state == "quarantined"
    assert "empty" in str(reason)
    assert office.lines() == [("A", "10.00")]


def test_files_that_are_deleted_while_they_wait_are_loaded_all_the_same(office: Office) -> None:
    names = [f"Customer_04_{day:02}_2025.csv" for day in range(1, 31)]
    for number, name in enumerate(names):
        office.drop(name, customers(**{str(number): f"Customer {number}"}))
    for name in names[:12]:
        (office.root / "input" / name).unlink()
    office.work()
    assert {state for _, state in office.states()} == {"loaded"}
    assert office.query("SELECT count(*) FROM raw.quickbooks_customers") == [(len(names),)]


def test_a_file_that_is_overwritten_during_its_load_is_loaded_as_it_was_taken_and_then_as_it_is(office: Office) -> None:
    name = "Customer_04_17_2025.csv"
    taken = customers(**{str(number): f"Customer {number}" for number in range(500)})
    office.drop(name, taken)
    (office.root / "input" / name).write_bytes(customers(a="Shorter"))  # into the same file, as some tools do
    office.work()
    assert office.query("SELECT count(*) FROM raw.quickbooks_customers") == [(500,)]
    [(size,)] = office.query("SELECT size_bytes FROM qbwatch.files")
    assert size == len(taken)
    office.drop(name, customers(a="Shorter"))
    office.work()
    assert office.query("SELECT customer_name FROM raw.quickbooks_customers") == [("Shorter",)]
