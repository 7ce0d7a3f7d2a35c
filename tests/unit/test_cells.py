"""A cell is read by its column's declared type, exactly or not at all."""

from __future__ import annotations

import pytest

from qbwatch.core.dates import DateOrder, WrongOrder
from qbwatch.datasets import SQL_TYPES, ColumnType
from qbwatch.formats.cells import is_damaged_id, read_rate, read_rate_percent, reader_for

TEXT, ID, DATE, MONEY = ColumnType.TEXT, ColumnType.ID, ColumnType.DATE, ColumnType.MONEY
PERCENT, BOOLEAN = ColumnType.PERCENT, ColumnType.BOOLEAN


def read(text: str, kind: ColumnType) -> str | None:
    return reader_for(kind, DateOrder.MDY)(text)


@pytest.mark.parametrize(
    "text", ["00123", "1001.0", "219E01", "TRUE", "1-2", "1234567890123456789", "02138", "A-17", "Acme LLC ", "a  b",
             "NaN", "=1+1", "O’Neil", "\u00a0x", "line1\r\nline2"],
)  # fmt: skip
def test_text_is_kept_to_the_letter(text: str) -> None:
    assert read(text, TEXT) == text


@pytest.mark.parametrize("kind", list(ColumnType))
@pytest.mark.parametrize("blank", ["", "   ", "\u00a0"])
def test_a_blank_cell_is_null_in_every_type(kind: ColumnType, blank: str) -> None:
    assert read(blank, kind) is None
    assert kind in SQL_TYPES


def test_a_nul_character_is_refused_because_no_text_column_can_hold_it() -> None:
    with pytest.raises(ValueError, match="NUL"):
        read("a\x00b", TEXT)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("9,876", "9876"), ("1,234,567", "1234567"), ("00123", "00123"), ("12,34", "12,34"), ("A,100", "A,100")],
)
def test_an_identifier_loses_only_the_exporters_thousands_comma(text: str, kept: str) -> None:
    assert read(text, ID) == kept


@pytest.mark.parametrize("text", ["1.91431E+18", "8E+10", "4.01E+08"])
def test_an_identifier_that_a_spreadsheet_rounded_is_refused(text: str) -> None:
    assert is_damaged_id(text)
    with pytest.raises(ValueError, match="spreadsheet"):
        read(text, ID)


@pytest.mark.parametrize("text", ["219E01", "1E5", "3A6FF-1715898545", "80000042-1477859147", "E+5", "12.5E+3"])
def test_an_identifier_with_an_e_in_it_is_not_damaged(text: str) -> None:
    assert not is_damaged_id(text)


@pytest.mark.parametrize(
    ("text", "value"), [("1,234.50", "1234.50"), ("(5.00)", "-5.00"), ("-", "0"), (".00000001", "0.00000001")]
)
def test_amounts_are_told_to_postgres_in_plain_notation(text: str, value: str) -> None:
    assert read(text, MONEY) == value


@pytest.mark.parametrize(
    ("text", "amount", "percent"),
    [("165.00", "165.00", None), ("-10%", None, "-10"), ("6.625%", None, "6.625"), ("", None, None)],
)
def test_a_rate_is_a_price_or_a_percentage_and_never_one_for_the_other(
    text: str, amount: str | None, percent: str | None
) -> None:
    assert (read_rate(text), read_rate_percent(text)) == (amount, percent)


@pytest.mark.parametrize("text", ["ten", "1E5%", "%"])
def test_a_malformed_rate_is_refused_once(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        read_rate(text)
    assert read_rate_percent(text) is None


def test_a_percentage_reads_the_same_with_its_sign_and_without() -> None:
    assert read("6.625%", PERCENT) == read("6.625", PERCENT) == "6.625"


@pytest.mark.parametrize(
    ("text", "value"), [("true", "true"), ("FALSE", "false"), (" Yes ", "true"), ("N", "false"), ("y", "true")]
)
def test_booleans_are_read_in_the_spellings_in_use(text: str, value: str) -> None:
    assert read(text, BOOLEAN) == value


@pytest.mark.parametrize("text", ["1", "0", "maybe", "Active", "truefalse"])
def test_anything_else_is_neither_true_nor_false(text: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        read(text, BOOLEAN)


def test_dates_are_read_in_the_order_of_the_source() -> None:
    assert read("03/04/2024", DATE) == "2024-03-04"
    assert reader_for(DATE, DateOrder.DMY)("03/04/2024") == "2024-04-03"
    with pytest.raises(WrongOrder):
        read("31/12/2023", DATE)
