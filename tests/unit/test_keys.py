"""What identifies a record, from the best key that a file has to the last."""

from __future__ import annotations

from datetime import date

import pytest
from exports import csv_bytes, opened, records, rejects, tally_of
from workbooks import xlsx

from qbwatch.formats.notes import notes_of
from qbwatch.formats.records import Record, Rejected
from qbwatch.formats.refusal import Refusal

I = "Invoice.csv"  # noqa: E741
BY_NUMBER = ("Invoice No", "Invoice Date", "Customer", "Product/Service", "Product/Service Amount")


def keys(header: tuple[str, ...], *rows: tuple[str, ...], name: str = I) -> list[str | None]:
    """Key of each row; None for one that was rejected without."""
    found = opened(csv_bytes(header, *rows), name).readings()
    return [reading.key for reading in found if isinstance(reading, Record | Rejected)]


def test_the_best_key_whose_columns_a_file_has_is_its_key() -> None:
    row = ("A-1", "04-01-2025", "Acme", "Rope", "1.00")
    assert keys(BY_NUMBER, row) == ["A-1 | 2025-04-01 | Acme"]
    assert keys(("Trans #", *BY_NUMBER), ("9,876", *row)) == ["9876"]
    assert keys(("QuickBooks Internal Id", "Trans #", *BY_NUMBER), ("2B1C9-1", "9,876", *row)) == ["2B1C9-1"]


def test_a_record_has_the_same_key_however_its_cells_are_written() -> None:
    written = [("A-1", "04-01-2025", "Acme"), ("A-1 ", "2025-04-01", " Acme"), ("A-1", "4/1/2025", "Acme\u00a0")]
    assert set(keys(BY_NUMBER, *((*each, "Rope", "1.00") for each in written))) == {"A-1 | 2025-04-01 | Acme"}


def test_numbers_are_the_same_keys_in_a_workbook_whatever_stands_among_them() -> None:
    numbers: list[float | str] = [*range(1001, 1900), "A-17", "00123", 2001.0]
    below = (date(2025, 4, 1), "Acme", "Rope", 1.5)
    book = xlsx(Invoices=[BY_NUMBER, *((number, *below) for number in numbers)])
    texts = [*(str(number) for number in range(1001, 1900)), "A-17", "00123", "2001"]
    text = csv_bytes(BY_NUMBER, *((number, "04-01-2025", "Acme", "Rope", "1.50") for number in texts))

    expected = [f"{number} | 2025-04-01 | Acme" for number in texts]
    assert [record.key for record in records(text, I)] == expected
    assert [record.key for record in records(book, "Invoice.xlsx")] == expected


def test_names_are_told_apart_by_their_whole_path_and_not_by_their_blanks() -> None:
    header = ("Customer Name", "Main Email")
    names = [
        "Acme",
        "Acme:Job 1",
        "Beta:Job 1",
        "Acme:Job 1:Phase 2",
        "A:B Supply",
        "Smith, LLC:Kitchen",
        "*Acme",
        "acme",
    ]
    assert keys(header, *((name, "") for name in names), name="Customer.csv") == names
    found = records(csv_bytes(header, ("Voss\u00a0 & Kin ", "x")), "Customer.csv")
    assert [(record.key, record.values[0]) for record in found] == [("Voss & Kin", "Voss\u00a0 & Kin ")]
    assert rejects(csv_bytes(header, ("A  B", ""), ("A\u00a0B", "")), "Customer.csv") == [
        (3, None, "", "its key stands already on line 2")
    ]


def test_a_bar_inside_a_name_makes_no_other_key() -> None:
    one = ("A | 2025-04-01", "04-01-2025", "x", "Rope", "1.00")
    assert keys(BY_NUMBER, one) == ["A || 2025-04-01 | 2025-04-01 | x"]


ABOVE = ("A-1", "04-01-2025", "Acme", "Rope", "1.00")


@pytest.mark.parametrize(
    "below", [("A-1", "", "", "Tar", "2.00"), ("", "", "", "Tar", "2.00"), ("A-1", "", "Acme", "Tar", "2.00")]
)
def test_a_line_without_an_identity_of_its_own_belongs_to_the_document_above(below: tuple[str, ...]) -> None:
    assert keys(BY_NUMBER, ABOVE, below) == ["A-1 | 2025-04-01 | Acme"] * 2


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([("", "04-02-2025", "Acme", "Tar", "2.00")], "Invoice No"),  # a document without a number
        ([("", "", "Beta", "Tar", "2.00")], "Invoice No"),
        ([("A-2", "", "", "Tar", "2.00")], "Invoice Date"),  # another number, not another line
        ([("A-1", "", "Beta", "Tar", "2.00")], "Invoice Date"),  # another customer's document of that number
        ([("", "", "", "", ""), ("", "", "", "Tar", "2.00")], "Invoice No"),  # behind a gap
        ([("", "04-02-2025", "Acme", "Tar", "2.00"), ("", "", "", "Tar", "2.00")], "Invoice No"),
    ],
)
def test_what_may_be_another_document_is_rejected_and_not_given_to_the_one_above(
    rows: list[tuple[str, ...]], column: str
) -> None:
    data = csv_bytes(BY_NUMBER, ABOVE, *rows)
    found = rejects(data, I)
    assert [reject[:2] for reject in found][-1] == (2 + len(rows), column)
    assert {reject[3] for reject in found} == {"no key: the cell is blank"}
    assert [record.key for record in records(data, I)] == ["A-1 | 2025-04-01 | Acme"]


def test_the_first_line_of_a_file_has_nothing_above_it() -> None:
    assert keys(BY_NUMBER, ("", "", "", "Tar", "2.00"), ABOVE) == [None, "A-1 | 2025-04-01 | Acme"]


def test_an_internal_id_is_never_filled_down() -> None:
    header = ("QuickBooks Internal Id", *BY_NUMBER)
    assert keys(header, ("7-1", *ABOVE), ("", "A-1", "", "", "Tar", "2.00")) == ["7-1", None]


def test_a_bad_line_below_condemns_the_document_above() -> None:
    tally = tally_of(csv_bytes(BY_NUMBER, ABOVE, ("", "", "", "Tar", "two")), I)
    assert (tally.accepted, tally.rejected, tally.bad_keys) == (0, 2, {"A-1 | 2025-04-01 | Acme"})


def test_a_date_in_another_order_inside_a_key_condemns_the_file() -> None:
    with pytest.raises(Refusal) as caught:
        keys(BY_NUMBER, ("A-1", "31-12-2025", "Acme", "Rope", "1.00"))
    assert caught.value.failure.code == "date_order"
    assert "column 'Invoice Date': '31-12-2025'" in caught.value.message


def test_an_unreadable_part_of_a_key_is_named() -> None:
    data = csv_bytes(BY_NUMBER, ("A-1", "02-30-2025", "Acme", "Rope", "1.00"), ("1.9E+18", *ABOVE[1:]))
    assert rejects(data, I) == [
        (2, "Invoice Date", "02-30-2025", "no such day in the calendar"),
        (3, "Invoice No", "1.9E+18", "an identifier that a spreadsheet turned into a rounded number"),
    ]


def test_a_weaker_key_is_noted_with_what_is_missing() -> None:
    data = csv_bytes(BY_NUMBER, ABOVE)
    layout = opened(data, I).layout
    assert layout.missed_keys == ("quickbooks_internal_id", "trans_no")
    (note,) = [each for each in notes_of(layout, None, tally_of(data, I), is_full=False) if "told apart" in each]
    assert note.startswith("its records are told apart by invoice_no, invoice_date, customer, ")
    assert note.endswith("because it lacks quickbooks_internal_id, trans_no")
