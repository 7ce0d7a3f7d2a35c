"""What a header and a file name say."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.naming import column_name, folded_stem, read_file_name
from qbwatch.datasets import spelled_by_hand


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("QuickBooks Internal Id", "quickbooks_internal_id"),
        ("Product/Service  Amount", "product_service_amount"),
        ("Product/Service Amount", "product_service_amount"),
        ("Billing Address Line1", "billing_address_line_1"),
        ("Billing Address Line 1", "billing_address_line_1"),
        ("Trans #", "trans_no"),
        ("trans  #", "trans_no"),
        ("U/M", "unit_of_measure"),
        ("Tax Persentage", "tax_percentage"),
        ("Manufacturer's Part Number", "manufacturer_s_part_number"),
        ("Manufacturer’s Part Number", "manufacturer_s_part_number"),
        ("Unit Weight (kg)", "unit_weight_kg"),
        ("S.No", "s_no"),
        ("\ufeffS.No", "s_no"),
        ("Customer\u00a0Name ", "customer_name"),
        ("Other 1", "other_1"),
        ("", ""),
        (" . ", ""),
    ],
)
def test_a_header_becomes_snake_case(header: str, name: str) -> None:
    assert column_name(header, spelled_by_hand()) == name


@given(st.text(max_size=30))
def test_a_column_name_is_stable_once_it_is_one(header: str) -> None:
    name = column_name(header)
    assert column_name(name) == name
    assert not name.startswith("_")
    assert not name.endswith("_")


@pytest.mark.parametrize(
    ("name", "stem", "moment", "is_full"),
    [
        ("Invoice_04_17_2025_2_00_03.csv", "Invoice", "2025-04-17T02:00:03", False),
        ("Invoice_04_17_2025_10_30_01.csv", "Invoice", "2025-04-17T10:30:01", False),
        ("Sales_Receipt_04_17_2025_3_00_02.csv", "Sales_Receipt", "2025-04-17T03:00:02", False),
        ("Sales Receipt_04_17_2025_3_00_02.CSV", "Sales Receipt", "2025-04-17T03:00:02", False),
        ("Invoice_04_07_2025_2_00_03 (1).csv", "Invoice", "2025-04-07T02:00:03", False),
        ("Invoice_04_07_2025_2_00_03 (1)(1).csv", "Invoice", "2025-04-07T02:00:03", False),
        ("01_BACKUP_Invoice_04_03_2025.csv", "Invoice", "2025-04-03T23:59:59", True),
        ("01_backup_Customer_04_03_2025.csv", "Customer", "2025-04-03T23:59:59", True),
        ("All Lists_04_14_2025_1_00_05.xlsx", "All Lists", "2025-04-14T01:00:05", False),
        ("2025-04-17_lists.xlsx", "lists", "2025-04-17T23:59:59", False),
        ("Invoice 2025-04-17.csv", "Invoice", "2025-04-17T23:59:59", False),
        ("Invoices.csv", "Invoices", None, False),
        ("Invoice_104_17_2025.csv", "Invoice_104_17_2025", None, False),
        ("Invoice.csv.old", "Invoice.csv", None, False),
        ("", "", None, False),
        (".csv", "", None, False),
    ],
)  # fmt: skip
def test_a_file_name_states_its_dataset_moment_and_extent(
    name: str, stem: str, moment: str | None, is_full: bool
) -> None:
    reading = read_file_name(name)
    stated = reading.moment.isoformat() if reading.moment else None
    assert (reading.stem, stated, reading.is_full, reading.problem) == (stem, moment, is_full, None)


@pytest.mark.parametrize(
    "name",
    ["Invoice_17_04_2025_2_00_03.csv", "Invoice_02_30_2025.csv", "Invoice_04_17_2025_24_00_00.csv", "x_2025-13-01.csv"],
)
def test_a_date_in_a_name_that_is_none_is_a_problem_and_not_ignored(name: str) -> None:
    reading = read_file_name(name)
    assert reading.moment is None
    assert reading.problem is not None


def test_the_names_of_one_day_are_ordered_by_their_hour_and_not_by_their_spelling() -> None:
    names = ["Invoice_04_17_2025_10_30_01.csv", "Invoice_04_17_2025_2_00_03.csv", "Invoice_12_31_2024_9_00_00.csv"]
    in_time = sorted(names, key=lambda name: str(read_file_name(name).moment))
    assert in_time == [names[2], names[1], names[0]]


def test_the_moment_is_the_offices_local_time_in_winter_and_in_summer() -> None:
    zone = ZoneInfo("America/New_York")
    winter = read_file_name("Item_01_15_2025_1_30_02.csv").as_of(zone)
    summer = read_file_name("Item_07_15_2025_1_30_02.csv").as_of(zone)
    assert winter == datetime(2025, 1, 15, 6, 30, 2, tzinfo=UTC)
    assert summer == datetime(2025, 7, 15, 5, 30, 2, tzinfo=UTC)
    assert read_file_name("Items.csv").as_of(zone) is None


def test_stems_are_compared_without_case_blanks_and_underscores() -> None:
    assert folded_stem("Sales_Receipt") == folded_stem("sales receipt") == "salesreceipt"


@pytest.mark.parametrize("mark", ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\x00"])
def test_a_character_that_nobody_sees_is_no_part_of_a_columns_name(mark: str) -> None:
    assert column_name(f"{mark}Invoice{mark} \u00a0No{mark}") == "invoice_no"
