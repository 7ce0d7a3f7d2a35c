"""A spreadsheet's values → the text that a text file of the same data would hold.

Numbers are told by their shortest exact notation (a stored 0.1 is ``0.1``, 1001.0 is ``1001``). Fractions are told to
the fifteen digits that a spreadsheet keeps and shows: what a program worked out in binary, 0.30000000000000004 for the
sum of 0.1 and 0.2, is 0.3 there, and a report's total ties.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from qbwatch.formats.table import Unusable

_EXACT_UP_TO = 2.0**53  # beyond it, neighbouring whole numbers are one and the same to a spreadsheet
_DIGITS = 15  # of a fraction
_DAY_ONE = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet knows no zones)
_DAY_ONE_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_FALSE_LEAP_DAY = 60  # the 29th of February 1900, which spreadsheets believe in
_LAST_DAY = 2958466  # after the year 9999

_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_BUILT_IN_PERCENTS = frozenset({9, 10})
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


class Shown(str):
    """How a cell's number is shown, as far as it matters: one of the four below."""


PLAIN, PERCENT, MOMENT, ELAPSED = Shown("plain"), Shown("percent"), Shown("moment"), Shown("elapsed")


@lru_cache(maxsize=1024)
def shown_by(number: int, code: str | None) -> Shown:
    """What a number format makes of a number: ``number`` is its id, ``code`` its text (None for a built-in one)."""
    if code is None:
        if number == 46:
            return ELAPSED
        return MOMENT if number in _BUILT_IN_DATES else PERCENT if number in _BUILT_IN_PERCENTS else PLAIN
    first = code.split(";", 1)[0]
    if _ELAPSED.search(first):
        return ELAPSED
    bare = _NO_CODE.sub("", first).lower()
    if "general" in bare:
        return PLAIN
    if set(bare) & set("dmyhs"):
        return MOMENT
    return PERCENT if "%" in bare else PLAIN


def _kept(value: float) -> float:
    """A fraction with the digits that a spreadsheet keeps of it."""
    return value if len(repr(value)) <= _DIGITS or value.is_integer() else float(f"{value:.{_DIGITS}g}")


def number_text(value: float) -> str:
    """A number in plain notation; one that has lost digits in scientific notation."""
    text = repr(value)
    if len(text) <= _DIGITS and "e" not in text and "n" not in text:  # as nearly all are: neither 1e+22 nor inf nor nan
        return "0" if text == "-0.0" else text.removesuffix(".0")
    value = _kept(value)
    if value.is_integer():
        if abs(value) <= _EXACT_UP_TO:
            return str(int(value))
        return f"{Decimal(repr(value)).normalize():E}"
    text = repr(value)
    return f"{Decimal(text):f}" if "e" in text else text


def percent_text(value: float) -> str:
    """What is stored as 0.06625 and shown in percent: ``6.625%``."""
    hundredfold = Decimal(repr(_kept(value))).scaleb(2)
    text = f"{hundredfold:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def moment_text(value: datetime) -> str:
    """A date, with its time of day unless that is midnight; to the second."""
    value = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    return value.date().isoformat() if value.time() == time() else value.isoformat(" ")


def time_text(value: time) -> str:
    """A time of day without a date, to the second."""
    return elapsed_text(
        timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    )


def elapsed_text(value: timedelta) -> str:
    """Hours, minutes and seconds, however many hours: ``30:00:00``."""
    seconds = round(value.total_seconds())
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def serial_text(value: float, shown: Shown, *, is_1904: bool = False) -> str:
    """A stored number as its cell shows it."""
    if shown is PLAIN:
        return number_text(value)
    if shown is PERCENT:
        return percent_text(value)
    if not 0 <= value < _LAST_DAY:
        return number_text(value)
    if shown is ELAPSED or value < 1:
        return elapsed_text(timedelta(days=value))
    if is_1904:
        return moment_text(_DAY_ONE_1904 + timedelta(days=value))
    if value < _FALSE_LEAP_DAY:
        value += 1
    return moment_text(_DAY_ONE + timedelta(days=value))


def value_text(value: object) -> str:
    """A value as a spreadsheet library gives it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return number_text(float(value)) if abs(value) > _EXACT_UP_TO else str(value)
        case float():
            return number_text(value)
        case datetime():
            return moment_text(value)
        case date():
            return value.isoformat()
        case time():
            return time_text(value)
        case timedelta():
            return elapsed_text(value)
        case None:
            return ""
        case _:
            raise TypeError(f"a cell of type {type(value).__name__}")


def cell_name(row: int, column: int) -> str:
    """``C7`` for row 7, column 3 (both 1-based)."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def error_in(sheet: str, row: int, column: int, text: str) -> Unusable:
    """A cell that shows an error."""
    return Unusable(text, f"cell {sheet}!{cell_name(row, column)} holds the error {text}")


def unworked_formula_in(sheet: str, row: int, column: int) -> Unusable:
    """A formula whose value the program that wrote the workbook left out."""
    return Unusable("", f"cell {sheet}!{cell_name(row, column)} holds a formula without its value")
