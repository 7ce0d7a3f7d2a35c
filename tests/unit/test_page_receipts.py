"""Receipts: one for each refused file, under names that any system takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from page_samples import CUSTOMER, REFUSED, ZONE

from qbwatch.page.receipts import is_receipt, receipt_name, receipts


def test_a_receipt_says_what_to_do_and_no_customer() -> None:
    ((name, content),) = receipts([REFUSED], ZONE).items()
    assert name == "NOT LOADED Invoice_11_25_2026_2_00_03.csv.txt"
    assert "Why:         the file stops in the middle of row 212." in content
    assert "What to do:  Export Invoices again." in content
    assert "Since Wed, Nov 25, 2026, 02:30 (New York time)." in content
    assert CUSTOMER not in content
    assert is_receipt(content)


def test_a_workbook_with_several_refused_sheets_has_one_receipt() -> None:
    parts = [replace(REFUSED, sheet="Bills", dataset="quickbooks.bills"), replace(REFUSED, sheet="Invoices")]
    ((_, content),) = receipts(parts, ZONE).items()
    assert "Sheet Bills: the file stops" in content
    assert "Sheet Invoices: the file stops" in content


@pytest.mark.parametrize(
    "name", ["sub/Invoice.csv", 'a:b*c?"<>|.csv', "x" * 300 + ".csv", "語" * 200 + ".csv", "../up.csv"]
)
def test_any_name_gives_a_name_of_one_part(name: str) -> None:
    found = receipt_name(name)
    assert len(f".~{found}.tmp".encode()) <= 255
    assert not set(found) & set('/\\:*?"<>|')
    assert found.startswith("NOT LOADED ")


def test_no_two_files_share_a_receipt() -> None:
    names = ["a/b.csv", "a_b.csv", "a:b.csv", "x" * 300, "x" * 301]
    assert len({receipt_name(name) for name in names}) == len(names)


def test_somebody_elses_text_is_no_receipt() -> None:
    assert not is_receipt("NOT LOADED, I wrote this\n")
