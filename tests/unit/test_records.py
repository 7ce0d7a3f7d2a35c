"""Every row ends as a record, as structure, or as a reject with line, column and reason."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from exports import CUSTOMER, INVOICE, csv_bytes, customers, invoices, opened, readings, records, rejects, tally_of
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.dates import DateOrder
from qbwatch.formats.notes import notes_of
from qbwatch.formats.records import Record, Rejected, Structure
from qbwatch.formats.refusal import Refusal

C, I = "Customer.csv", "Invoice.csv"  # noqa: E741


def value(record: Record, data: bytes, name: str, column: str) -> str | None:
    return record.values[opened(data, name).layout.columns.index(column)]


def test_columns_are_found_by_name_in_whatever_order() -> None:
    data = csv_bytes(("Customer Name", "Status", "QuickBooks Internal Id"), ("Acme", "true", "8-1"))
    (record,) = records(data, C)
    assert record.key == "8-1"
    assert value(record, data, C, "customer_name") == "Acme"
    assert value(record, data, C, "status") == "true"


def test_new_columns_are_kept_beside_and_lost_ones_are_known() -> None:
    data = csv_bytes((*CUSTOMER, "Preferred Language", "Größe"), ("8-1", "Acme", "", "", "", "fr", ""))
    layout = opened(data, C).layout
    assert layout.new == ("preferred_language", "gr_e")
    assert "terms" in layout.lost
    assert "main_email" not in layout.lost
    assert json.loads(records(data, C)[0].extra) == {"preferred_language": "fr", "gr_e": None}


def test_the_row_number_of_the_exporter_is_no_data() -> None:
    data = csv_bytes(("S.No", *CUSTOMER), ("1", "8-1", "Acme", "", "", ""))
    assert opened(data, C).layout.new == ()


def test_a_nameless_column_with_content_is_kept_and_reported() -> None:
    data = csv_bytes((*CUSTOMER[:2], "", *CUSTOMER[2:]), ("8-1", "Acme", "hidden", "", "", ""))
    assert opened(data, C).layout.new == ("unnamed_3",)
    assert json.loads(records(data, C)[0].extra) == {"unnamed_3": "hidden"}


def test_a_repeated_column_is_kept_under_a_number_and_never_replaces_another() -> None:
    data = csv_bytes((*CUSTOMER, "Customer Name", "Other 1", "Other"), ("8-1", "Acme", "", "", "", "Second", "o", "p"))
    (record,) = records(data, C)
    assert value(record, data, C, "customer_name") == "Acme"
    assert value(record, data, C, "other_1") == "o"
    assert json.loads(record.extra) == {"customer_name_2": "Second", "other": "p"}


def test_empty_cells_beyond_the_header_are_accepted_and_full_ones_are_not() -> None:
    header = ",".join(CUSTOMER) + "\r\n"
    rows = ["8-1,A,,,", "8-2,B,,,,,", "8-3,C,,", "8-4,Smith, LLC,,,true", "8-5,E,,,,x"]
    data = (header + "\r\n".join(rows) + "\r\n").encode()
    assert [record.key for record in records(data, C)] == ["8-1", "8-2"]
    assert [(line, reason) for line, _, _, reason in rejects(data, C)] == [
        (4, "4 cells where the header has 5"),
        (5, "content beyond the header's 5 columns"),
        (6, "content beyond the header's 5 columns"),
    ]


TORN = "more cells than the header, and {!r} looks torn at a comma"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("8-9,Smith,LLC,,,", "Smith,LLC"), ("8-9,Smith,LLC,a@b.example,,", "Smith,LLC"),
        ("8-9,Smith, LLC,,,", "Smith, LLC"), ("8-9,A,a@b.example,1,234,", "1,234"), ("8-9,A,a@b,c,,,", "A,a@b"),
    ],
)  # fmt: skip
def test_a_comma_that_lacks_its_quotes_is_noticed_where_the_row_ends_in_blanks(row: str, told: str) -> None:
    data = csv_bytes(CUSTOMER, ("8-1", "Acme", "", "", ""), ("8-2", "Beta", "", "", "true")) + row.encode() + b"\r\n"
    assert [record.key for record in records(data, C)] == ["8-1", "8-2"]
    assert [(line, reason) for line, _, _, reason in rejects(data, C)] == [(4, TORN.format(told))]


def test_rows_that_are_all_padded_alike_are_only_padded() -> None:
    rows = ["8-1,Acme,a@b.example,,,", "8-2,Beta,c@d.example,,,", "8-3,Smith,e@f.example,,,"]
    data = "\r\n".join([",".join(CUSTOMER), *rows, "8-4,Smith,LLC,g@h.example,,,", ""]).encode()
    assert [record.key for record in records(data, C)] == ["8-1", "8-2", "8-3"]
    assert [line for line, *_ in rejects(data, C)] == [5]


def test_a_row_whose_last_column_is_filled_as_in_all_others_is_only_padded() -> None:
    rows = ["8-1,Acme,a@b.example,,true", "8-2,Beta,c@d.example,,true,,", "8-3,Smith,e@f.example,,false,"]
    data = "\r\n".join([",".join(CUSTOMER), *rows, ""]).encode()
    assert [record.key for record in records(data, C)] == ["8-1", "8-2", "8-3"]


def test_what_could_not_be_read_a_column_to_the_left_was_not_torn() -> None:
    """With the name and the address as one text, the limit would be an address, and the status a limit."""
    data = csv_bytes(CUSTOMER, ("8-1", "Acme", "", "", "")) + b"8-2,Beta,c@d.example,12.00,true,\r\n"
    assert [record.key for record in records(data, C)] == ["8-1", "8-2"]


@pytest.mark.parametrize("row", ["8-1,A,,,", "8-1,A,,,,", "8-1,A,,,,,"])
def test_a_header_that_ends_in_commas_has_no_more_columns_for_it(row: str) -> None:
    data = (",".join(CUSTOMER) + ",,\r\n" + row + "\r\n").encode()
    assert [record.key for record in records(data, C)] == ["8-1"]
    assert opened(data, C).layout.new == ()


def test_content_under_a_header_that_is_only_a_comma_is_not_cut_off() -> None:
    data = (",".join(CUSTOMER) + ",\r\n8-1,A,,,,x\r\n").encode()
    assert rejects(data, C) == [(2, None, "", "content beyond the header's 5 columns")]


def test_blank_rows_are_structure() -> None:
    data = customers(["8-1", "A"]) + b"\r\n,,,,\r\n\xc2\xa0,,,,\r\n"
    assert [type(reading) for reading in readings(data, C)] == [Record, Structure, Structure, Structure]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("Credit Limit", "lots", "not an amount"),
        ("Credit Limit", "NaN", "not an amount: no number"),
        ("Status", "maybe", "neither true nor false"),
        ("Customer Name", "A\x00B", "holds a NUL character"),
        ("QuickBooks Internal Id", " ", "no key: the cell is blank"),
        ("QuickBooks Internal Id", "8\x001", "no key: the cell holds a NUL character"),
        ("QuickBooks Internal Id", "8.00E+10", "an identifier that a spreadsheet turned into a rounded number"),
        ("QuickBooks Internal Id", "8" * 501, "the key is too long to be one"),
    ],
)
def test_a_bad_cell_rejects_its_row_with_line_column_and_reason(column: str, text: str, reason: str) -> None:
    row = {"QuickBooks Internal Id": "8-2", "Customer Name": "B", "Main Email": "", "Credit Limit": "", "Status": ""}
    data = customers(["8-1", "A"], list((row | {column: text}).values()), ["8-3", "C"])
    assert rejects(data, C) == [(3, column, text.replace("\x00", "␀")[:80], reason)]
    assert [record.key for record in records(data, C)] == ["8-1", "8-3"]


def test_rejects_name_the_line_of_the_file_also_behind_line_breaks_in_cells() -> None:
    data = customers(["8-1", "two\r\nlines"], ["8-2", "B", "", "x"])
    assert [reject[0] for reject in rejects(data, C)] == [4]


def test_a_list_that_states_a_key_twice_rejects_the_later_row() -> None:
    data = customers(["8-1", "A"], ["8-2", "B"], [" 8-1 ", "A again"])
    assert rejects(data, C) == [(4, None, "", "its key stands already on line 2")]


def test_a_date_in_another_order_condemns_the_whole_file() -> None:
    good, bad = (["x", "1", "A", day, "p", "", "", "1.00", "", ""] for day in ("04-01-2025", "31-12-2025"))
    with pytest.raises(Refusal) as caught:
        readings(csv_bytes(INVOICE, good, bad), I)
    assert caught.value.failure.code == "date_order"
    assert "line 3, column 'Invoice Date': '31-12-2025'" in caught.value.message
    day_first = opened(csv_bytes(INVOICE, good, bad), I, DateOrder.DMY)
    assert [type(reading) for reading in day_first.readings()] == [Record, Record]


def test_lines_of_a_document_are_numbered_also_when_equal_or_apart() -> None:
    equal = ("rent", "-20.00")
    data = invoices({"A": [equal, equal], "B": [equal]}) + invoices({"A": [equal]}).split(b"\r\n", 1)[1]
    assert [(record.key, record.ordinal, record.row_number) for record in records(data, I)] == [
        ("A", 1, 1), ("A", 2, 2), ("B", 1, 3), ("A", 3, 4)
    ]  # fmt: skip


def test_one_bad_line_rejects_its_whole_document_and_no_other() -> None:
    lines = [(product, "1.00") for product in "abcdefghij"]
    data = invoices({"A": lines, "B": [("x", "1.00"), ("y", "one"), ("z", "2.00")], "C": lines})
    tally = tally_of(data, I)
    assert (tally.read, tally.accepted, tally.rejected) == (23, 20, 3)
    assert tally.sums["product_service_amount"] == Decimal("20.00")
    assert [(reject.line, reject.reason) for reject in tally.rejects] == [
        (12, "another line of its document can't be read"),
        (13, "not an amount"),
        (14, "another line of its document can't be read"),
    ]
    assert tally.bad_keys == {"B"}
    assert not tally.has_keyless


@pytest.mark.parametrize("cut", [INVOICE.index("Invoice No"), INVOICE.index("Total Amount")])
def test_a_line_that_is_too_short_condemns_the_document_its_key_names(cut: int) -> None:
    rows = [["B", "1", "A", "04-01-2025", "p", "1", "1", "1.00", "1.00", ""]] * 2
    tally = tally_of(csv_bytes(INVOICE, *rows, rows[0][:cut]), I)
    assert (tally.accepted, tally.rejected, tally.bad_keys) == (0, 3, {"B"})


def test_a_keyless_line_inside_a_document_condemns_it_and_one_between_documents_condemns_none() -> None:
    def row(key: str) -> list[str]:
        return [key, "1", "A", "04-01-2025", "p", "1", "1", "1.00", "1.00", ""]

    inside = tally_of(csv_bytes(INVOICE, row("A"), row(""), row("A"), row("B")), I)
    assert (inside.accepted, inside.rejected, inside.bad_keys) == (1, 3, {"A"})
    between = tally_of(csv_bytes(INVOICE, row("A"), row("A"), row(""), row("B")), I)
    assert (between.accepted, between.rejected, between.bad_keys) == (3, 1, set())
    assert between.has_keyless


def test_sums_keep_every_digit() -> None:
    large, small = "12345678901234567890123456789.00", "0.000000001"
    tally = tally_of(invoices({"A": [("x", large), ("y", small), ("z", f"-{large}")]}), I)
    assert tally.sums["product_service_amount"] == Decimal(small)


def test_only_the_first_thousand_rejects_are_kept_but_all_are_counted() -> None:
    data = customers(*([f"8-{number}", "A", "", "x"] for number in range(1200)))
    tally = tally_of(data, C)
    assert (tally.rejected, len(tally.rejects)) == (1200, 1000)
    notes = notes_of(opened(data, C).layout, "utf-8", tally, is_full=True)
    assert "a full export without a row: nothing was removed" in notes
    assert "only the first 1000 rejected rows are kept" in notes


def test_notes_tell_encoding_and_drift() -> None:
    data = csv_bytes((*CUSTOMER, "Preferred Language"), ("8-1", "A", "", "", "", "fr"), ("", "B", "", "", "", ""))
    notes = notes_of(opened(data, C).layout, "cp1252", tally_of(data, C), is_full=True)
    assert notes[0] == "read as cp1252"
    assert "columns without a declaration, kept in _extra: preferred_language" in notes
    assert any(note.startswith("columns that this export lacks: company_name, ") for note in notes)
    assert "nothing was removed, because a rejected row's key couldn't be read" in notes


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", ""]), st.sampled_from(["1.00", "(2.50)", "bad", ""])), max_size=12
    )
)
def test_every_row_is_accounted_for_and_no_document_is_halved(lines: list[tuple[str, str]]) -> None:
    rows = [[key, "1", "A", "04-01-2025", "p", "", "", amount, "", ""] for key, amount in lines]
    tally = tally_of(csv_bytes(INVOICE, *rows), I)
    assert tally.read == tally.structural + tally.accepted + tally.rejected == len(lines)
    clean = {key for key, _ in lines if key} - tally.bad_keys
    assert tally.accepted == sum(1 for key, _ in lines if key in clean)
    assert not {key for key, amount in lines if amount == "bad" and key} & clean
    known = {"1.00": Decimal("1.00"), "(2.50)": Decimal("-2.50"), "": Decimal(0)}
    expected = sum((known[amount] for key, amount in lines if key in clean), Decimal(0))
    assert tally.sums["product_service_amount"] == expected


def test_a_rejected_row_knows_its_document() -> None:
    (reading,) = readings(invoices({"A": [("x", "one")]}), I)
    assert isinstance(reading, Rejected)
    assert reading.key == "A"
