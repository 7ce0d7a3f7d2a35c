"""IIF lists: many kinds of rows in one file, each told apart by its keyword."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from written_forms import LISTS

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RowClass
from qbwatch.formats.notes import notes_of
from qbwatch.formats.part import Part, open_part, open_parts
from qbwatch.formats.records import Record
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.tally import Tally, read_whole_documents


def parts_of(data: bytes, name: str = "lists.IIF") -> dict[str, Part]:
    found = open_parts(lambda: io.BytesIO(data), name, DateOrder.MDY)
    assert all(isinstance(each, Part) for each in found)
    return {each.table.sheet or "": each for each in found if isinstance(each, Part)}


def counted(part: Part) -> Tally:
    def read(tally: Tally) -> None:
        for reading in part.readings():
            tally.take(reading)

    return read_whole_documents(part.layout, read)


def rows_of(part: Part) -> list[dict[str, str | None]]:
    return [
        dict(zip(part.layout.columns, reading.values, strict=True))
        for reading in part.readings()
        if isinstance(reading, Record)
    ]


def test_each_kind_that_is_loaded_is_a_part_of_its_dataset() -> None:
    parts = parts_of(LISTS)
    assert {kind: part.layout.dataset.name for kind, part in parts.items()} == {
        "ACCNT": "accounts", "INVITEM": "items", "CUST": "customers"
    }  # fmt: skip
    assert {part.table.format for part in parts.values()} == {"iif"}
    assert [reading.line for reading in parts["ACCNT"].readings()] == [2, 4, 5, 19, 21]


def test_every_row_of_the_file_is_accounted_for_once() -> None:
    tallies = [counted(part) for part in parts_of(LISTS).values()]
    rows = [line for line in LISTS.splitlines() if not line.startswith(b"!")]
    assert sum(tally.read for tally in tallies) == len(rows)
    assert all(tally.read == tally.structural + tally.accepted and not tally.rejects for tally in tallies)


def test_quotes_hold_tabs_and_commas_and_line_breaks_are_two_characters() -> None:
    oar, *_ = rows_of(parts_of(LISTS)["INVITEM"])
    assert oar["item_name"] == "Oar, ash"
    assert oar["sales_description"] == "two\nlines\tand a tab"


def test_of_two_columns_of_one_name_the_second_is_the_value() -> None:
    oar, kit, _ = rows_of(parts_of(LISTS)["INVITEM"])
    assert (oar["quantity_on_hand"], oar["inventory_value"]) == ("1783", "213.96")
    assert (oar["sales_price"], oar["sales_price_percent"]) == (None, "-10")
    assert (kit["quantity_on_hand"], kit["inventory_value"]) == (None, None)


def test_members_of_a_group_are_no_items() -> None:
    part = parts_of(LISTS)["INVITEM"]
    assert [row["item_name"] for row in rows_of(part)] == ["Oar, ash", "Kit", "After"]
    assert counted(part).row_classes == {RowClass.DETAIL: 3, RowClass.MEMBER: 3}  # one of them ends a group of taxes


def test_hidden_is_the_opposite_of_active() -> None:
    bank, winter = rows_of(parts_of(LISTS)["ACCNT"])
    assert (bank["status"], winter["status"]) == ("true", "false")
    assert (bank["opening_balance"], winter["account_name"]) == ("48210.55", "Bank:Winter")


def test_short_rows_padding_and_null_dates_are_nothing_special() -> None:
    acme, beta = rows_of(parts_of(LISTS)["CUST"])
    assert (acme["start_date"], acme["credit_limit"]) == (None, "3000.00")
    assert (beta["start_date"], beta["credit_limit"]) == ("2025-04-01", None)


def test_employees_and_bank_numbers_never_get_past_the_reader() -> None:
    parts = parts_of(LISTS)
    told = repr([list(part.readings()) for part in parts.values()])
    assert "078-05-1120" not in told
    assert "123456" not in told
    part = parts["ACCNT"]
    notes = notes_of(part.layout, None, counted(part), is_full=False)
    assert "employees are never loaded: EMP 1" in notes
    assert "rows of other kinds, which aren't loaded: CLASS 1" in notes
    assert "columns that are never loaded: banknum" in notes


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        (b"DATE\tTIME\nHDR\t04/14/25\t1744617600", datetime(2025, 4, 14, 8, tzinfo=UTC)),
        (b"DATE\nHDR\t4/1/5", datetime(2005, 4, 1, 23, 59, 59)),  # noqa: DTZ001
        (b"DATE\nHDR\t2025-04-14", datetime(2025, 4, 14, 23, 59, 59)),  # noqa: DTZ001
        (b"DATE\nHDR\tsoon", None),
        (b"PROD\nHDR\tx", None),
    ],
)
def test_the_files_own_moment_is_that_of_all_its_parts(header: bytes, moment: datetime | None) -> None:
    data = b"!HDR\t" + header + b"\n!TERMS\tNAME\nTERMS\tNet 30\n!VEND\tNAME\nVEND\tX\n"
    assert [part.facts.printed_at for part in parts_of(data).values()] == [moment, moment]


def test_a_cell_without_a_header_is_kept_when_it_says_something_between_and_refused_beyond() -> None:
    data = b"!TERMS\tNAME\t\tDUEDAYS\nTERMS\tNet 30\tx\t30\nTERMS\tNet 15\t\t15\t\t7\n"
    tally = counted(parts_of(data)["TERMS"])
    assert [(reject.line, reject.reason) for reject in tally.rejects] == [(3, "content beyond the header's 3 columns")]
    assert parts_of(data)["TERMS"].layout.new == ("unnamed_2",)


def test_a_row_before_its_header_is_rejected_and_not_guessed_at() -> None:
    tally = counted(parts_of(b"!HDR\tX\nTERMS\tNet 30\n!TERMS\tNAME\nTERMS\tNet 15\n")["TERMS"])
    assert (tally.read, tally.accepted) == (2, 1)
    assert [(reject.line, reject.reason) for reject in tally.rejects] == [(2, "content beyond the header's 1 columns")]


@pytest.mark.parametrize("name", ["x.iif", "x.IIF", "x.txt", "Customer_04_14_2025.csv"])
def test_the_content_says_that_it_is_iif_whatever_its_name(name: str) -> None:
    assert set(parts_of(LISTS, name)) == {"ACCNT", "INVITEM", "CUST"}
    assert open_part(lambda: io.BytesIO(LISTS), name, DateOrder.MDY, "CUST").layout.dataset.name == "customers"


@pytest.mark.parametrize(
    "data", [b"!HDR\tPROD\nHDR\tx\n", b"!CLASS\tNAME\nCLASS\tA\n!EMP\tNAME\nEMP\tA\n", b"!TRNS\tDATE\nTRNS\t1/1/25\n"]
)
def test_a_file_without_a_list_that_is_loaded_is_refused_with_what_it_holds(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        parts_of(data)
    assert caught.value.failure.code == "no_known_kind"
    assert data[1:4].decode().strip() in caught.value.message


def test_a_file_of_employees_alone_is_called_that() -> None:
    with pytest.raises(Refusal) as caught:
        parts_of(b"!HDR\tPROD\nHDR\tx\n!EMP\tNAME\tSSNO\nEMP\tA\t1\n")
    assert caught.value.failure.code == "employees"


def test_rows_without_names_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        parts_of(b"!TERMS\tREFNUM\nTERMS\t1\n")
    assert caught.value.failure.code == "missing_columns"


def test_an_open_quote_is_refused_with_its_line() -> None:
    with pytest.raises(Refusal) as caught:
        parts_of(b'!TERMS\tNAME\nTERMS\t"Net 30\nTERMS\tNet 15\n')
    assert caught.value.failure.code == "unbalanced_quote"
    assert "line 2" in caught.value.message


# file → kind → (read, records, members, rows of other kinds)
FIGURES = {
    "all_lists_windows_34.IIF": {
        "ACCNT": (29, 16, 0, 12), "INVITEM": (19, 13, 6, 0), "CUST": (4, 4, 0, 0), "VEND": (2, 2, 0, 0),
        "TERMS": (3, 3, 0, 0),
    },
    "all_lists_mac_2019.iif": {
        "ACCNT": (9, 5, 0, 3), "INVITEM": (7, 4, 3, 0), "CUST": (2, 2, 0, 0), "TERMS": (2, 2, 0, 0),
    },
    "all_lists_mac_6.iif": {"ACCNT": (8, 4, 0, 3), "INVITEM": (0, 0, 0, 0), "CUST": (2, 2, 0, 0)},
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_the_corpus(name: str, corpus: Path) -> None:
    parts = parts_of((corpus / "iif" / name).read_bytes(), name)
    found = {}
    for kind, part in parts.items():
        tally = counted(part)
        assert tally.rejects == []
        assert part.layout.new == ()
        classes = tally.row_classes
        found[kind] = (tally.read, tally.accepted, classes[RowClass.MEMBER], classes[RowClass.OTHER_KIND])
        assert "MUST-NOT-BE-LOADED" not in repr(list(part.readings()))
    assert found == FIGURES[name]


def test_the_lists_of_the_corpus_read_right(corpus: Path) -> None:
    parts = parts_of((corpus / "iif" / "all_lists_windows_34.IIF").read_bytes())
    inactive = {kind: [row for row in rows_of(part) if row.get("status") == "false"] for kind, part in parts.items()}
    assert {kind: len(rows) for kind, rows in inactive.items()} == {
        "ACCNT": 1, "INVITEM": 1, "CUST": 1, "VEND": 0, "TERMS": 0
    }  # fmt: skip
    items = {row["item_name"]: row for row in rows_of(parts["INVITEM"])}
    assert [row["item_type"] for row in items.values()].count("GRP") == 1
    assert [row["item_type"] for row in items.values()].count("STAX") == 1
    assert items["Rope:1/2' hemp"]["quantity_on_hand"] == "1783"
    assert items["Cleat"]["sales_price"] == "12.50"
    assert items["Levy, Eastmere"]["sales_price_percent"] == "6.625"
    balances = [Decimal(row["opening_balance"] or 0) for row in rows_of(parts["ACCNT"])]
    assert sum(balances) == Decimal("-74239.85")
    customers = {row["customer_name"]: row for row in rows_of(parts["CUST"])}
    assert customers["Farhaven Guild"]["notes"] == 'Calls at noon\n"Ask for the purser"\n\tnot on Fridays'
    assert customers["Carrow, Idris:Sloop Ottilie"]["start_date"] == "2025-04-01"


def test_a_nul_in_a_keyword_reaches_no_note() -> None:
    data = b"!ACCNT\tNAME\tREFNUM\tACCNTTYPE\r\nACCNT\tBank\t1\tBANK\r\nTO\x00DO\tx\r\n"
    (part,) = open_parts(lambda: io.BytesIO(data), "lists.iif", DateOrder.MDY)
    assert isinstance(part, Part)
    assert part.layout.notes == ("rows of other kinds, which aren't loaded: TODO 1",)
