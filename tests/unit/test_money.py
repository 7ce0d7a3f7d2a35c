"""An amount is read exactly, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.money import NotAnAmount, is_blank, parse_amount, parse_percent

READ = {
    "1234.50": "1234.50",
    "1,234.50": "1234.50",
    "1,234": "1234",
    "1,234,567.891": "1234567.891",
    "1.234": "1.234",
    "007.50": "7.50",
    ".5": "0.5",
    "5.": "5",
    "(1,234.50)": "-1234.50",
    "($182.77)": "-182.77",
    "$(182.77)": "-182.77",
    "-$182.77": "-182.77",
    "$-182.77": "-182.77",
    "$3,025.00": "3025.00",
    "5.00-": "-5.00",
    "−5.00": "-5.00",
    "–5.00": "-5.00",
    "-900.00": "-900.00",
    "(420.81)": "-420.81",
    "  12.00\u00a0": "12.00",
    "0.00": "0.00",
    "-": "0",
    "−": "0",
}
REFUSED = [
    "NaN", "nan", "sNaN", "Infinity", "-inf", "1E5", "1e-2", "1_000", "１２", "٣", "12,34,5", "1,23", ",123",
    "1,234,", "$", "()", "#####", "#REF!", "=1+1", "1.000,00", "1.000,00 €", "1.2.3", "(-5)", "-(5)", "(5", "5)",
    "--5", "-5-", "5 0", "1 234", "+5", "0x10", "5\n6", "12\x00", "€5", "5 USD", "twelve", ".", "-.", "- -",
]  # fmt: skip


@pytest.mark.parametrize(("text", "amount"), READ.items())
def test_every_notation_that_accountants_write_is_read_exactly(text: str, amount: str) -> None:
    assert str(parse_amount(text)) == amount


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_ambiguous_or_merely_accepted_by_decimal_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_amount(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-1.000,00 €", "a decimal comma"), ("1.000,00", "a decimal comma"), ("12,5", "a decimal comma"),
        ("€5", "another currency's sign"), ("£1,200.00", "another currency's sign"),
        ("$", "a sign without a number"), ("()", "a sign without a number"),
        ("#####", "a spreadsheet's column was too narrow to show it"), ("#REF!", "a spreadsheet's error"),
        ("#N/A", "a spreadsheet's error"), ("NaN", "no number"), ("-Infinity", "no number"),
        ("1E5", "a number that a spreadsheet rounded"), ("4.01E+08", "a number that a spreadsheet rounded"),
        ("12,34,5", "commas that don't stand between thousands"), ("(-5)", "more than one minus sign"),
        ("(5", "a parenthesis without its partner"), ("１２", "letters or digits other than 0 to 9"),
        ("20.0%", "a percentage where an amount belongs"), ("USD 5.00", "a currency's code"),
        ("5.00 USD", "a currency's code"), ("US$5", "a currency's code"), ("CA$-5", "a currency's code"),
        ("5.00 CR", "a sign in letters"), ("5\u00a0000.00", "blanks between its digits"), ("=1+1", "a formula"),
        ("--", "a sign without a number"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(NotAnAmount) as caught:
        parse_amount(text)
    assert str(caught.value) == f"not an amount: {why}"


@pytest.mark.parametrize("text", ["20.0% S", "twelve", "5 USD", "9" * 100_000 + "x", "(" * 100_000])
def test_whatever_else_is_refused_at_once(text: str) -> None:
    with pytest.raises(NotAnAmount, match=r"^not an amount"):
        parse_amount(text)


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\t", " \u00a0 "])
def test_a_blank_cell_is_no_amount_rather_than_zero(text: str) -> None:
    assert is_blank(text)
    assert parse_amount(text) is None


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    amounts = [parse_amount("0.10"), parse_amount("0.20")]
    assert sum(amount for amount in amounts if amount is not None) == Decimal("0.30")


@pytest.mark.parametrize("notation", ["({})", "-{}", "{}-", "$-{}", "-${}"])
def test_a_negative_amount_keeps_all_its_digits_however_many(notation: str) -> None:
    digits = "12345678901234567890123456789012345.678901"
    assert str(parse_amount(notation.format(digits))) == "-" + digits


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2))
def test_plain_and_grouped_notations_of_an_amount_agree(amount: Decimal) -> None:
    grouped = f"{abs(amount):,.2f}"
    plain = f"{amount:f}"
    negative = amount.is_signed()
    assert parse_amount(plain) == amount
    assert parse_amount(f"-{grouped}" if negative else grouped) == amount
    assert parse_amount(f"({grouped})" if negative else f"${grouped}") == amount


@given(st.text(alphabet="0123456789.,-−()$ \u00a0eE_NaInf+%１", max_size=12))
def test_whatever_is_read_is_finite_and_has_the_digits_of_the_text(text: str) -> None:
    try:
        amount = parse_amount(text)
    except NotAnAmount:
        return
    if amount is None:
        assert not text.strip()
        return
    assert amount.is_finite()
    written = "".join(character for character in text if character in "0123456789.")
    assert abs(amount) == Decimal(written.rstrip(".") or "0")
    assert set(text) <= set("0123456789.,-−()$ \u00a0")


@pytest.mark.parametrize(
    ("text", "percent"),
    [("6.625%", "6.625"), ("-10%", "-10"), (" 10 % ", "10"), ("(5%)", None), ("10", None), ("", None), ("%", None)],
)
def test_a_percentage_is_what_has_a_percent_sign_at_its_end(text: str, percent: str | None) -> None:
    read = parse_percent(text)
    assert (None if read is None else str(read)) == percent


@pytest.mark.parametrize("text", ["ten%", "1E1%", "10%%", "1,0%"])
def test_a_malformed_percentage_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_percent(text)
