"""Columns come, go, move and change their names; values never move with them."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from exports import CUSTOMER, INVOICE, csv_bytes, customers, invoices, opened, records, rejects, tally_of

from qbwatch.core.dates import DateOrder
from qbwatch.datasets import dataset_named, datasets
from qbwatch.formats.drift import likely_renames
from qbwatch.formats.notes import notes_of, renames_in
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal

MODELS = Path(__file__).parents[2] / "dbt" / "models"
ROW = ["7-1", "A-1", "Acme", "04-01-2025", "Rope", "1", "1.00", "1.00", "1.00", "Open"]


def with_columns(**renamed: str) -> bytes:
    return csv_bytes([renamed.get(column.replace(" ", "_"), column) for column in INVOICE], ROW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("memo", "memo_description"), ("memo_description", "memo"), ("num", "no"),
        ("transaction_type", "transactions_type"),
        ("product_service_quantity", "product_service_qty"), ("preferred_vendor", "prefered_vendor"),
    ],
)  # fmt: skip
def test_a_likely_rename_is_found(old: str, new: str) -> None:
    assert likely_renames([old, "upc"], [new, "shoe_size"]) == {old: new}


@pytest.mark.parametrize(("old", "new"), [("memo", "class"), ("status", "preferred_language"), ("fax", "tax_code")])
def test_an_unlikely_one_is_not(old: str, new: str) -> None:
    assert likely_renames([old], [new]) == {}


def test_each_new_column_is_one_lost_one_at_most() -> None:
    assert likely_renames(["memo", "memo_text"], ["memo_texts"]) == {"memo_text": "memo_texts"}


def test_a_renamed_optional_column_is_suggested_and_kept_apart() -> None:
    header = [*INVOICE, "Memo/Description"]
    data = csv_bytes(header, [*ROW, "thanks"])
    layout = opened(data, "Invoice.csv").layout
    assert layout.new == ("memo_description",)
    assert renames_in(layout) == {"memo": "memo_description"}
    notes = notes_of(layout, None, tally_of(data, "Invoice.csv"), is_full=False)
    assert any('qbwatch accept FILE --map "memo=memo_description"' in note for note in notes)
    (record,) = records(data, "Invoice.csv")
    assert record.extra == '{"memo_description": "thanks"}'


def test_a_rename_that_a_person_confirmed_holds() -> None:
    data = csv_bytes([*INVOICE, "Memo/Description"], [*ROW, "thanks"])
    renamed = {"memo": "Memo/Description"}
    part = open_part(lambda: _stream(data), "Invoice.csv", DateOrder.MDY, renamed=renamed)
    assert part.layout.new == ()
    (record,) = part.readings()
    assert record.values[part.layout.columns.index("memo")] == "thanks"  # type: ignore[union-attr]


def test_a_lost_key_column_is_refused_with_the_rename_to_confirm() -> None:
    data = with_columns(Invoice_Date="Invoiced Date", QuickBooks_Internal_Id="Id")
    with pytest.raises(Refusal) as caught:
        opened(data, "Invoice.csv")
    assert caught.value.failure.code == "missing_columns"
    assert "without: invoice_date" in caught.value.message
    assert '`qbwatch accept FILE --map "invoice_date=invoiced_date"`' in caught.value.hint
    part = open_part(lambda: _stream(data), "Invoice.csv", DateOrder.MDY, renamed={"invoice_date": "Invoiced Date"})
    assert part.layout.key_columns == ("invoice_no", "invoice_date", "customer")


def test_a_mapping_that_is_needed_no_more_does_no_harm() -> None:
    renamed = {"invoice_date": "Status"}
    part = open_part(lambda: _stream(csv_bytes(INVOICE, ROW)), "Invoice.csv", DateOrder.MDY, renamed=renamed)
    (record,) = part.readings()
    assert record.values[part.layout.columns.index("status")] == "Open"  # type: ignore[union-attr]


def _stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


def test_a_lost_column_names_the_models_that_read_it() -> None:
    data = customers(["8-1", "A"])
    notes = notes_of(opened(data, "Customer.csv").layout, None, tally_of(data, "Customer.csv"), is_full=False)
    (note,) = [each for each in notes if each.startswith("of these dbt reads")]
    assert "its last known values stay" in note
    assert ": company_name, first_name, " in note
    assert note.endswith(" (stg_quickbooks__customers)")
    assert note.count("stg_quickbooks__customers") == 1
    documents = invoices({"A": [("x", "1.00")]})
    notes = notes_of(opened(documents, "Invoice.csv").layout, None, tally_of(documents, "Invoice.csv"), is_full=False)
    (note,) = [each for each in notes if each.startswith("of these dbt reads")]
    assert "they are empty for its rows: " in note
    assert ": due_date, ship_date, " in note


def test_what_dbt_reads_is_what_its_models_say() -> None:
    told = {name: each.read_by for name, each in datasets().items() if each.read_by}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for model in sorted(MODELS.rglob("*.sql")):
        text = model.read_text("utf-8")
        for table in re.findall(r"source\('quickbooks', *'(\w+)'\)", text):
            if table == "item_prices":  # no export's columns: the fold keeps it
                continue
            words, dataset = set(re.findall(r"\w+", text)), dataset_named(table)
            reads = {column: (model.stem,) for column in dataset.columns if column in words}
            found.setdefault(dataset.full_name, {}).update(reads)
    assert told == found


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["8-1", "Smith", " LLC", "", "", ""], "more cells than the header, and 'Smith, LLC' looks torn at a comma"),
        (["8-1", "A", "", "12", "500.00", ""], "more cells than the header, and '12,500.00' looks torn at a comma"),
        (["8-1", "A", "", "", "", "x"], "content beyond the header's 5 columns"),
        (["8-1", "A", "", ""], "4 cells where the header has 5"),
    ],
)
def test_a_row_whose_values_may_have_moved_is_rejected(row: list[str], reason: str) -> None:
    assert rejects(csv_bytes(CUSTOMER, row), "Customer.csv") == [(2, None, "", reason)]


@pytest.mark.parametrize("tail", [[""], ["", ""], ["", " ", ""]])
def test_blanks_beyond_the_header_are_nothing(tail: list[str]) -> None:
    data = csv_bytes(CUSTOMER, ["8-1", "Smith", "", "500.00", "true", *tail], ["8-2", " B", "", "1", "true"])
    assert rejects(data, "Customer.csv") == []


def test_a_header_that_ends_in_commas_is_as_wide_as_its_last_name() -> None:
    data = csv_bytes([*CUSTOMER, "", ""], ["8-1", "Smith", "", "", "", "", ""], ["8-2", "B", "", "", ""])
    assert rejects(data, "Customer.csv") == []


def test_what_a_spreadsheet_damaged_is_kept_and_told() -> None:
    header = ("QuickBooks Internal Id", "Customer Name", "Main Phone", "Fax", "Notes")
    data = csv_bytes(header, ("8-1", "#1 Dinghies", "4.01E+08", "#REF!", "3E+"), ("8-2", "B", "", "", "########"))
    notes = notes_of(opened(data, "Customer.csv").layout, None, tally_of(data, "Customer.csv"), is_full=False)
    (note,) = [each for each in notes if "spreadsheet" in each]
    assert note == (
        "cells that a spreadsheet damaged, kept as they stand, first: main_phone (line 2), fax (line 2), notes (line 3)"
    )
