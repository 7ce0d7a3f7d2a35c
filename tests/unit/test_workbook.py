"""A sheet's cells become the text that a CSV of the same data would hold, whatever wrote the workbook."""

# ruff: noqa: DTZ001 (a sheet knows no zones)

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdsTable
from odf.table import TableCell, TableRow
from odf.text import P, S
from openpyxl.styles import numbers
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from workbooks import cells_in, flaws_in, packed, parts_of, rows_in, saved, sheet_of, xlsx

from qbwatch.formats import workbook_fast
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.table import Row
from qbwatch.formats.workbook import open_workbook, read_sheet
from qbwatch.formats.workbook_cells import number_text, shown_by

# What XML can hold, without what a spreadsheet program changes itself (a lone CR, an escape that looks like ours).
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff_", include_characters="\n\t"),
    min_size=1,
    max_size=12,
).filter(lambda text: not text.startswith("="))
NUMBER = st.one_of(
    st.integers(-(2**53), 2**53),
    # The fifteen digits that a spreadsheet keeps.
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15).map(
        lambda value: float(f"{value:.15g}")
    ),
    st.decimals(-(10**9), 10**9, places=2).map(float),
)
DAY = st.dates(date(1900, 3, 1), date(2200, 12, 31))
MOMENT = st.datetimes(datetime(1900, 3, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(microsecond=0))
CELL = st.one_of(TEXT, NUMBER, DAY, MOMENT, st.booleans(), st.none())
GRID = st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=8)


def told(value: Any) -> str:
    """The text that a value is to become."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
        case date():
            return value.isoformat()
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"
        case _:
            return "" if value.isspace() else str(value)


def table_of(grid: list[list[Any]]) -> list[list[str]]:
    """The grid as its table reads: without blank rows at the end, each row as wide as the widest before it."""
    texts = [[told(value) for value in row] for row in grid]
    while texts and not any(texts[-1]):
        texts.pop()
    rows, width = [], 0
    for row in texts:
        while row and not row[-1]:
            row = row[:-1]
        width = max(width, len(row))
        rows.append(row + [""] * (width - len(row)))
    return rows


def without_trailing_blanks(rows: list[list[str]]) -> list[list[str]]:
    return table_of(rows)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=150)
@given(GRID)
def test_whatever_openpyxl_writes_is_read_back_exactly(grid: list[list[Any]]) -> None:
    assert without_trailing_blanks(cells_in(xlsx(Data=grid))) == table_of(grid)


@settings(deadline=None, max_examples=100)
@given(GRID)
def test_the_fast_reader_gives_the_same_rows_as_the_exact_one(grid: list[list[Any]]) -> None:
    # Behind the first rows, which are always read exactly; more of them than a sheet has by chance.
    data = xlsx(Data=[["Header", "Row"]] * 70 + grid)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook_fast, "SMALLEST", 0)
        fast = [(row.line, row.cells) for row in read_sheet(io.BytesIO(data), 0)]
    exact = [(row.line, row.cells) for row in read_sheet(io.BytesIO(data), 0, fast=False)]
    assert fast == exact


def test_half_a_letter_stays_as_it_is_written_since_no_table_could_hold_it() -> None:
    row = '<row><c t="inlineStr"><is><t>a_x000D_b_xD83D_c_x00e9_</t></is></c></row>'
    assert cells_in(packed(parts_of(sheet_of(row)))) == [["a\rb_xD83D_cé"]]


def test_a_text_of_blanks_alone_is_a_blank_to_every_reader() -> None:
    grid = [["a", " ", "b"], ["\t", "\n", " "], ["c"]]
    right = [["a", "", "b"], ["", "", ""], ["c", "", ""]]
    assert cells_in(xlsx(Data=grid)) == right
    assert cells_in(ods(grid)) == right
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook_fast, "SMALLEST", 0)
        rows = list(read_sheet(io.BytesIO(xlsx(Data=[["Header"]] * 70 + grid)), 0))
    assert [row.cells for row in rows[70:]] == right


@settings(deadline=None, max_examples=60)
@given(GRID)
def test_whatever_xlwt_writes_is_read_back_exactly(grid: list[list[Any]]) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Data")
    day, moment = (xlwt.easyxf(num_format_str=code) for code in ("YYYY-MM-DD", "YYYY-MM-DD HH:MM:SS"))
    for row, values in enumerate(grid):
        for column, value in enumerate(values):
            style = moment if isinstance(value, datetime) else day if isinstance(value, date) else None
            if value is not None:
                sheet.write(row, column, value, *([style] if style else []))
    out = io.BytesIO()
    book.save(out)
    assert without_trailing_blanks(cells_in(out.getvalue())) == table_of(grid)


def ods(grid: list[list[Any]]) -> bytes:
    book = OpenDocumentSpreadsheet()
    table = OdsTable(name="Data")
    for values in grid:
        row = TableRow()
        for value in values:
            row.addElement(_ods_cell(value))
        table.addElement(row)
    book.spreadsheet.addElement(table)
    out = io.BytesIO()
    book.write(out)
    return out.getvalue()


def _ods_cell(value: Any) -> Any:
    match value:
        case None:
            return TableCell()
        case bool():
            return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
        case int() | float():
            return TableCell(valuetype="float", value=repr(value))
        case date():
            return TableCell(valuetype="date", datevalue=value.isoformat())
    cell = TableCell(valuetype="string")
    for line in value.split("\n"):
        paragraph = P(text=line)
        cell.addElement(paragraph)
    return cell


@settings(deadline=None, max_examples=60)
@given(GRID)
def test_whatever_odfpy_writes_is_read_back_exactly(grid: list[list[Any]]) -> None:
    assert without_trailing_blanks(cells_in(ods(grid))) == table_of(grid)


def test_runs_of_blanks_in_an_ods_are_kept() -> None:
    book = OpenDocumentSpreadsheet()
    table, row, cell, paragraph = OdsTable(name="Data"), TableRow(), TableCell(valuetype="string"), P(text="a")
    paragraph.addElement(S(c=3))
    paragraph.addText("b")
    for parent, child in ((cell, paragraph), (row, cell), (table, row), (book.spreadsheet, table)):
        parent.addElement(child)
    out = io.BytesIO()
    book.write(out)
    assert cells_in(out.getvalue()) == [["a   b"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3"),
        (2.9999999999999996, "3"),
        (-1234567890123.45, "-1234567890123.45"),
        (1001.0, "1001"),
        (-5.0, "-5"),
        (-0.0, "0"),
        (1e-7, "0.0000001"),
        (1e15, "1000000000000000"),
        (2.0**53, "9007199254740992"),
        (1.91431e18, "1.91431E+18"),
        (1234567890123456789.0, "1.2345678901234568E+18"),
        (9007199254740994.0, "9.007199254740994E+15"),
        (1e22, "1E+22"),
    ],
)
def test_a_number_is_told_in_plain_notation_unless_it_has_lost_digits(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        (0, None, "plain"), (14, None, "moment"), (22, None, "moment"), (46, None, "elapsed"), (10, None, "percent"),
        (164, "mm-dd-yyyy", "moment"), (165, "0.000%", "percent"),
        (166, '"$"#,##0.00_);[Red]\\("$"#,##0.00\\)', "plain"),
        (167, "[$-409]d-mmm-yy;@", "moment"), (168, "[h]:mm", "elapsed"), (169, "General", "plain"),
        (170, '#,##0 "days"', "plain"), (171, "[Blue]0.0;[Red]-0.0", "plain"), (172, '0" %"', "plain"),
    ],
)  # fmt: skip
def test_the_number_format_tells_dates_and_percentages(number: int, code: str | None, shown: str) -> None:
    assert shown_by(number, code) == shown


def one_cell(value: Any, form: str | None = None) -> str:
    book = openpyxl.Workbook()
    book.active["A1"] = value
    if form:
        book.active["A1"].number_format = form
    ((cell,),) = cells_in(saved(book))
    return cell


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.06625, "0.000%", "6.625%"),
        (-0.1, "0%", "-10%"),
        (1, "0%", "100%"),
        (0.07, numbers.FORMAT_PERCENTAGE_00, "7%"),
        (time(14, 30), "hh:mm", "14:30:00"),
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05:00"),
        (1250.5, numbers.FORMAT_CURRENCY_USD_SIMPLE, "1250.5"),
        (datetime(2025, 1, 2, 23, 59, 59, 700_000), None, "2025-01-03"),
        ("00123", None, "00123"),
        ("1001.0", None, "1001.0"),
        ("219E01", None, "219E01"),
        ("6.625%", None, "6.625%"),
        ("TRUE", None, "TRUE"),
        (" Acme  LLC ", None, " Acme  LLC "),
        ("line1\nline2", None, "line1\nline2"),
        ("a_x000D_b", None, "a\rb"),
    ],
)
def test_a_cell_is_told_as_it_is_shown_and_text_as_it_stands(value: Any, form: str | None, text: str) -> None:
    assert one_cell(value, form) == text


def test_dates_of_1904_are_the_same_days() -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append([date(2025, 1, 2), datetime(2025, 1, 2, 3, 4, 5)])
    assert cells_in(saved(book)) == [["2025-01-02", "2025-01-02 03:04:05"]]


def test_the_first_days_of_1900_are_those_that_a_spreadsheet_shows() -> None:
    assert one_cell(date(1900, 1, 1)) == "1900-01-01"
    assert one_cell(date(1900, 2, 28)) == "1900-02-28"
    assert one_cell(date(1900, 3, 1)) == "1900-03-01"


def test_blank_rows_and_columns_before_and_between_keep_their_place() -> None:
    book = openpyxl.Workbook()
    book.active["C3"], book.active["B6"] = "x", "y"
    found = rows_in(saved(book))
    assert [(row.line, row.cells) for row in found] == [
        (1, []), (2, []), (3, ["", "", "x"]), (4, [""] * 3), (5, [""] * 3), (6, ["", "y", ""])
    ]  # fmt: skip


# cells without a value


def flawed() -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "Invoice"
    book.active.append(["Num", "Amount"])
    book.active.append(["1", "=SUM(C2:C5)"])
    book.active.append(["2", "#REF!"])
    book.active["B3"].data_type = "e"
    return book


def test_an_error_and_a_formula_without_a_value_name_their_cell() -> None:
    assert flaws_in(saved(flawed())) == [
        (2, 1, "", "cell Invoice!B2 holds a formula without its value"),
        (3, 1, "#REF!", "cell Invoice!B3 holds the error #REF!"),
    ]


def test_such_cells_are_found_also_in_a_sheet_large_enough_for_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_fast, "SMALLEST", 0)
    book = openpyxl.Workbook()
    for number in range(200):
        book.active.append([number, "x"])
    book.active["B150"], book.active["B160"], book.active["B170"] = "=A1+1", "#N/A", 0.07
    book.active["B160"].data_type = "e"
    book.active["B170"].number_format = "0%"
    data = saved(book)
    assert [flaw[:3] for flaw in flaws_in(data)] == [(150, 1, ""), (160, 1, "#N/A")]
    assert cells_in(data)[169] == ["169", "7%"]


def test_a_formula_with_a_value_is_that_value() -> None:
    rows = '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>A1&amp;""</f><v></v></c></row>'
    assert cells_in(packed(parts_of(sheet_of(rows)))) == [["2"]]
    assert flaws_in(packed(parts_of(sheet_of(rows)))) == []


def test_text_that_looks_like_a_formula_or_an_error_is_text() -> None:
    rows = '<row><c t="inlineStr"><is><t>=1+1</t></is></c><c t="inlineStr"><is><t>#REF!</t></is></c></row>'
    data = packed(parts_of(sheet_of(rows)))
    assert cells_in(data) == [["=1+1", "#REF!"]]
    assert flaws_in(data) == []


def test_an_error_in_an_xls_names_its_cell() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    sheet.write(0, 0, "Amount")
    sheet.row(1).set_cell_error(0, "#REF!")
    sheet.write(2, 0, 0.07, xlwt.easyxf(num_format_str="0.00%"))
    out = io.BytesIO()
    book.save(out)
    assert flaws_in(out.getvalue()) == [(2, 0, "#REF!", "cell Data!A2 holds the error #REF!")]
    assert cells_in(out.getvalue())[2] == ["7%"]


# XML as other programs write it


def test_prefixes_missing_references_rich_text_and_phonetics_are_understood() -> None:
    x = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = (
        f'<x:worksheet xmlns:x="{x}"><x:dimension ref="A1"/><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c>'
        '<x:c t="b"><x:v>1</x:v></x:c><x:c t="d"><x:v>2025-01-02T00:00:00</x:v></x:c><x:c><x:f>A1</x:f></x:c></x:row>'
        "<x:row><x:c><x:v>4</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    strings = (
        f'<sst xmlns="{x}"><si><r><t>Ac</t></r><r><t xml:space="preserve">me </t></r>'
        "<rPh sb='0' eb='1'><t>no</t></rPh></si></sst>"
    )
    data = packed(parts_of(sheet, strings))
    assert cells_in(data) == [["Acme ", "true", "2025-01-02", ""], ["4", "", "", ""]]
    assert [flaw[:2] for flaw in flaws_in(data)] == [(1, 3)]


@pytest.mark.parametrize("dimension", ["A1", "A1:B2", "A1:XFD1048576", "nonsense"])
def test_what_a_sheet_says_of_its_size_is_not_believed(dimension: str) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}"><v>1</v></c></row>' for n in range(1, 101))
    xml = sheet_of(rows).replace("<sheetData>", f'<dimension ref="{dimension}"/><sheetData>')
    found = cells_in(packed(parts_of(xml)))
    assert (len(found), found[-1]) == (100, ["100", "", "1"])


def test_a_million_blank_rows_with_a_style_are_no_rows() -> None:
    data_rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>'
    data = packed(parts_of(sheet_of(data_rows + '<row r="1048576"><c r="A1048576" s="0"/></row>')))
    assert cells_in(data) == [["1"], ["2"]]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>',
        '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
        '<row r="1"><c r="A1"><v>twelve</v></c></row>',
        '<row r="1"><c r="ZZZZ1"><v>1</v></c></row>',
        '<row r="1048577"><c><v>1</v></c></row>',
        '<row r="1"><c><v>1</v></c>',
    ],
)
def test_a_sheet_that_contradicts_itself_is_damaged(rows: str) -> None:
    with pytest.raises(Refusal) as caught:
        cells_in(packed(parts_of(sheet_of(rows))))
    assert caught.value.failure.code == "damaged_workbook"


# sheets


def test_the_sheets_stand_in_their_order_with_why_they_are_not_to_be_seen() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Tips"
    book.create_sheet("Data").append(["a"])
    book.create_chartsheet("Chart")
    book.create_sheet("Helper").sheet_state = "hidden"
    book.create_sheet("Deep").sheet_state = "veryHidden"
    found = open_workbook(lambda: io.BytesIO(saved(book)))
    assert [(table.sheet, table.format, table.hidden) for table in found] == [
        ("Tips", "xlsx", None), ("Data", "xlsx", None), ("Chart", "xlsx", "it is a chart sheet"),
        ("Helper", "xlsx", "it is hidden"), ("Deep", "xlsx", "it is hidden"),
    ]  # fmt: skip
    assert [row.cells for row in found[1].rows()] == [["a"]]
    assert list(found[2].rows()) == []


# what is refused


def all_rows_in(data: bytes) -> list[list[Row]]:
    return [list(table.rows()) for table in open_workbook(lambda: io.BytesIO(data))]


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        all_rows_in(data)
    assert caught.value.hint
    return caught.value.failure.code, caught.value.message


def test_a_zip_that_is_no_workbook_is_called_that() -> None:
    assert refusal(packed({"Invoice.csv": "a,b\r\n"})) == ("zip_archive", "it is a zip archive, and no workbook")


def test_a_cut_off_workbook_is_damaged() -> None:
    assert refusal(xlsx(Data=[["a"]])[:-100])[0] == "damaged_workbook"


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = packed(parts_of(sheet_of(" " * (40 << 20))), level=9)
    assert len(bomb) < 100_000
    code, message = refusal(bomb)
    assert code == "zip_bomb"
    assert "sheet1.xml" in message


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_entities_are_not_expanded(part: str) -> None:
    doctype = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    parts = parts_of(sheet_of('<row><c t="s"><v>0</v></c></row>'), "<sst><si><t>x</t></si></sst>")
    parts[part] = doctype + parts[part].removeprefix('<?xml version="1.0"?>')
    assert refusal(packed(parts))[0] == "entity_bomb"


def test_too_many_parts_are_too_many() -> None:
    parts: dict[str, str | bytes] = {**parts_of(sheet_of("")), **{f"xl/media/{number}": "" for number in range(5000)}}
    assert refusal(packed(parts))[0] == "workbook_too_large"


def test_a_binary_workbook_is_refused_by_name() -> None:
    assert refusal(packed({"xl/workbook.bin": b"", "[Content_Types].xml": b""}))[0] == "xlsb"


def ole(*streams: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"".join(name.encode("utf-16-le") for name in streams)


def test_a_password_is_named_as_what_is_missing() -> None:
    assert refusal(ole("EncryptionInfo", "EncryptedPackage"))[0] == "password_protected"


def test_another_office_document_is_no_workbook() -> None:
    assert refusal(ole("WordDocument"))[0] == "not_a_workbook"


def test_links_to_other_places_are_never_followed() -> None:
    parts = parts_of(sheet_of('<row><c t="inlineStr"><is><t>a</t></is></c></row>'))
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        'Target="worksheets/sheet1.xml"', 'Target="file:///etc/passwd" TargetMode="External"'
    )
    assert refusal(packed(parts))[0] == "damaged_workbook"
