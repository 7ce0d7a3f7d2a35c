"""Bytes become rows of cells without a letter, a line or a quote going astray."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.formats.encoding import detect_encoding
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.text import head_of, looks_complete, read_rows, sniff_delimiter

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=12)
GRID = st.lists(st.lists(CELL, min_size=1, max_size=5), min_size=1, max_size=8)


def rows(data: bytes, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    return [row.cells for row in read_rows(io.BytesIO(data), encoding, delimiter)]


def encoding_of(data: bytes) -> str:
    return detect_encoding(io.BytesIO(data))


def refused(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        encoding_of(data)
    return caught.value


@given(GRID, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(",;\t|"))
def test_whatever_csv_writes_is_read_back_exactly(grid: list[list[str]], quoting: int, delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, delimiter=delimiter).writerows(grid)  # type: ignore[arg-type]
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert rows(out.getvalue().encode(encoding), encoding, delimiter) == grid


@given(GRID, st.sampled_from(["\r\n", "\n", "\r"]), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-16-le"]))
def test_every_dialect_of_csv_is_read_back_exactly(
    grid: list[list[str]], line_end: str, delimiter: str, encoding: str
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(grid)
    assert rows(out.getvalue().encode(encoding), encoding, delimiter) == grid


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff\ufffd")))
def test_text_in_utf_8_is_never_taken_for_anything_else(text: str) -> None:
    assert encoding_of(text.encode()) == "utf-8"
    assert encoding_of(codecs.BOM_UTF8 + text.encode()) == "utf-8-sig"


@pytest.mark.parametrize(
    ("text", "byte"), [("5013 · Rent", 0xB7), ("O’Neil", 0x92), ("José", 0xE9), ("€ 5", 0x80), ("a–b", 0x96)]
)
def test_windows_letters_are_read_as_what_they_were(text: str, byte: int) -> None:
    data = b"Name\r\n" + text.encode("cp1252") + b"\r\n"
    assert byte in data
    assert encoding_of(data) == "cp1252"
    assert rows(data, "cp1252")[1] == [text]


def test_the_first_telling_byte_may_stand_in_the_last_row() -> None:
    data = b"1,plain\r\n" * 90_000 + b"2,Jos\xe9\r\n"
    assert encoding_of(data) == "cp1252"
    assert rows(data, "cp1252")[-1] == ["2", "José"]


def test_undecodable_bytes_are_named_with_their_offset_and_line() -> None:
    data = b"Name\r\nJos\xe9\r\nx\x81y\r\n"
    assert "0x81 at offset 13 (line 3) is not cp1252" in refused(data).message


def test_an_undecodable_byte_behind_the_first_block_is_named_exactly() -> None:
    data = b"12345,\xe9\r\n" * 60_000 + b"\x9d\r\n"
    assert f"0x9d at offset {9 * 60_000} (line 60001)" in refused(data).message


def test_a_file_cut_in_the_middle_of_a_letter_is_refused_and_not_read_as_nonsense() -> None:
    whole = "Name\r\nJosé\r\nZoë".encode()
    assert encoding_of(whole) == "utf-8"
    assert "is not utf-8" in refused(whole[:-1]).message


def test_utf_8_with_a_damaged_letter_is_refused_at_that_letter() -> None:
    assert "0xe9 at offset 5 (line 1)" in refused(b"a,b,c\xe9,d\r\n" + "José,Zoë\r\n".encode()).message


def test_two_windows_letters_that_look_like_one_of_utf_8_change_nothing_among_others() -> None:
    text = "CAFÉ’S BAR, José, Zoë, Müller\r\n"
    data = text.encode("cp1252")
    assert encoding_of(data) == "cp1252"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_its_byte_order_mark(encoding: str) -> None:
    data = "Date\tNum\r\n01/02/2024\t1\r\n".encode(encoding)
    assert rows(data, encoding_of(data), "\t") == [["Date", "Num"], ["01/02/2024", "1"]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_known_also_below_a_title_of_other_letters(encoding: str) -> None:
    data = "Łódź, 東京 Ltd\r\nDate\tNum\r\n01/02/2024\t1\r\n".encode(encoding)
    assert encoding_of(data) == encoding


def test_nuls_in_a_text_of_single_bytes_are_no_utf_16() -> None:
    assert encoding_of(b"Date,Num\r\n\x00\x00\x00\x00\r\n") == "utf-8"
    assert encoding_of(b"\x00D\x00a\x00te,Num\r\n") == "utf-8"


@pytest.mark.parametrize("marks", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("header", ["Date,Num\r\n", '"Date",Num\r\n'])
def test_several_byte_order_marks_are_no_part_of_the_first_header(marks: int, encoding: str, header: str) -> None:
    data = ("\ufeff" * marks + header).encode(encoding)
    assert rows(data, encoding_of(data)) == [["Date", "Num"]]


@pytest.mark.parametrize("end", ["\x1a", "\x1a\x1a", "\r\n\x1a", "\x1a\r\n"])
@pytest.mark.parametrize("last", ["2", '"2"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_ctrl_z_behind_the_last_row_is_no_part_of_it(end: str, last: str, encoding: str) -> None:
    data = f"a,b\r\n1,{last}{end}".encode(encoding)
    assert rows(data, encoding_of(data)) == [["a", "b"], ["1", "2"]]
    assert looks_complete(io.BytesIO(b"a,b\r\n1,2\r\n\x1a"))


def test_a_ctrl_z_within_a_row_is_text() -> None:
    assert rows(b"a\x1a,b\r\n1,2\r\n") == [["a\x1a", "b"], ["1", "2"]]


def test_lone_carriage_returns_end_lines_too() -> None:
    data = b'a,b\r1,"x\ry"\r3,\xe9\r'
    assert rows(data, encoding_of(data)) == [["a", "b"], ["1", "x\ry"], ["3", "é"]]
    assert "0x81 at offset 5 (line 3)" in refused(b"a\rb\r\xe9\x81\r").message


def test_a_byte_order_mark_never_sticks_to_the_first_header() -> None:
    for header in (b"Date,Num\r\n", b'"Date",Num\r\n'):
        data = codecs.BOM_UTF8 + header
        assert rows(data, encoding_of(data)) == [["Date", "Num"]]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (b'1003,"6 pipe,12.00\r\n', 3),
        (b'1003,"6" pipe, blue",12.00\r\n', 3),
        (b'1003,"6 pipe,12.00', 1001),
    ],
)
def test_a_quote_that_is_never_closed_is_refused_with_its_line(row: bytes, line: int) -> None:
    lines = [b"Num,Name,Amount\r\n", *(b"%d,pipe,1.00\r\n" % number for number in range(1000))]
    lines[line - 1 :] = [row, *lines[line:]] if line < 1001 else [row]
    with pytest.raises(Refusal) as caught:
        rows(b"".join(lines))
    assert f"opened on line {line} " in caught.value.message


def test_a_quote_that_swallows_up_to_the_next_quoted_cell_is_refused() -> None:
    with pytest.raises(Refusal):
        rows(b'a,b\r\n1,"6 pipe\r\n2,x\r\n3,"Smith, LLC"\r\n')


def test_an_inch_mark_inside_an_unquoted_cell_is_only_a_letter() -> None:
    assert rows(b'1003,6" pipe,12.00\r\n') == [["1003", '6" pipe', "12.00"]]


def test_line_breaks_commas_and_quotes_inside_quotes_belong_to_the_cell() -> None:
    cells = ["line1\r\nline2", "a\nb", "c\u2028d\u0085e", 'say ""hi""'.replace('""', '"'), "x, y"]
    data = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells).encode() + b"\r\nlast\r\n"
    read = list(read_rows(io.BytesIO(data), "utf-8", ","))
    assert read[0].cells == cells
    assert [row.line for row in read] == [1, 4]


def test_line_numbers_are_those_of_the_file_blank_lines_included() -> None:
    data = b'h\r\n\r\n"a\r\nb"\r\nc\r\n'
    assert [(row.line, row.cells) for row in read_rows(io.BytesIO(data), "utf-8", ",")] == [
        (1, ["h"]), (2, []), (3, ["a\r\nb"]), (5, ["c"])
    ]  # fmt: skip


def test_a_long_memo_is_read_whole() -> None:
    memo = "m" * 140_000
    assert rows(f"1,{memo}\r\n".encode()) == [["1", memo]]


def test_a_cell_beyond_all_measure_is_refused_with_its_line() -> None:
    with pytest.raises(Refusal) as caught:
        rows(b"h,h\r\n1," + b"m" * 1_000_001 + b"\r\n")
    assert caught.value.failure.code == "cell_too_long"
    assert "line 2" in caught.value.message


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("Date,Num,Name", ","),
        ("Date;Num;Name", ";"),
        ("Date\tNum\tName", "\t"),
        ("Date|Num|Name", "|"),
        ('"Last, First","a;b",c', ","),
        ("Alone", ","),
        ("", ","),
    ],
)
def test_the_header_tells_the_delimiter(header: str, delimiter: str) -> None:
    assert sniff_delimiter(header) == delimiter


@pytest.mark.parametrize("title", ["Table 1", "Acme, LLC", "Sales; all", "a,b,c"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_title_above_the_header_does_not_tell_the_delimiter(title: str, delimiter: str) -> None:
    rows = [["Date", "Num", "Memo"], ["1/2/2024", "1", "so, so"], ["1/3/2024", "2", "so; so, so"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    assert sniff_delimiter(f"{title}\r\n{out.getvalue()}") == delimiter


def test_the_first_lines_with_content_are_those_that_are_sniffed() -> None:
    assert head_of(io.BytesIO(b"\r\n  \r\na;b\r\nc"), "utf-8") == "a;b\r\nc"
    assert head_of(io.BytesIO(b"\r\n" * 100), "utf-8") == ""


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (b"a,b\r\n1,2\r\n", True),
        (b"a,b\n", True),
        (b"a,b\r\n1,2", False),
        (b'a,b\r\n1,"2\r\n', False),
        (b'a,b\r\n1,"2"\r\n', True),
        ("a\tb\r\n".encode("utf-16-le"), True),
        ("a\tb\r\n".encode("utf-16-be"), True),
        (b"", True),
    ],
)
def test_a_file_whose_end_looks_unfinished_is_doubted(data: bytes, complete: bool) -> None:
    assert looks_complete(io.BytesIO(data)) is complete
