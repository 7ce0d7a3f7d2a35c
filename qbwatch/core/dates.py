"""What day does this text state, in the order that was configured for its source?

The order of day and month is never guessed: ``03/04/2024`` is read as configured, and ``31/12/2024`` under
month-first contradicts the configuration, which condemns the whole file (`WrongOrder`), since its other dates would
have been read the wrong way round without a sign of it.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

_THREE_NUMBERS = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})")
_MONTH_FIRST = re.compile(r"(?P<month>[A-Za-z]{3,9})\.? +(?P<day>[0-9]{1,2}),? +(?P<year>[0-9]{4})")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})[ -](?P<month>[A-Za-z]{3,9})\.?,?[ -](?P<year>[0-9]{4}|[0-9]{2})")
# The time of a moment; only its day is kept, as the export states it.
_TIME = re.compile(
    r"(?:T| +)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|[-+][0-9]{2}:?[0-9]{2}))?$"
)
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_PIVOT = 70  # two-digit years: 70..99 are 19xx
_LONGEST = 60  # characters of a day with its time


class DateOrder(StrEnum):
    """Which of year, month and day comes first in an export's dates."""

    MDY = "mdy"
    DMY = "dmy"
    YMD = "ymd"


class NotADate(ValueError):
    """The text is no day of the calendar."""


class WrongOrder(ValueError):
    """The text is a day only in another order than the one configured for the source."""


def parse_date(text: str, order: DateOrder) -> date | None:
    """The day that ``text`` states; None for a blank cell and for QuickBooks' null, ``0/0/0``.

    ``YYYY-MM-DD`` is read in any order setting, because nothing else is written that way, and so is a day whose month
    is a word (``Jan 15, 2024``, ``15-Jan-24``). A time behind the day is passed over.
    Raises `WrongOrder` when month and day can only be meant the other way round, `NotADate` for anything else.
    """
    stripped = text.strip()
    if not stripped or stripped == "0/0/0":
        return None
    if ":" in stripped and len(stripped) < _LONGEST:
        stripped = _TIME.sub("", stripped)
    match = _THREE_NUMBERS.fullmatch(stripped)
    if match is None:
        return _in_words(stripped)
    first, third = match[1], match[4]
    middle = int(match[3])
    if len(first) == 4:
        return _day(int(first), middle, int(third))
    if len(first) == 3 or len(third) == 3:
        raise NotADate("not a date")
    if order is DateOrder.YMD:
        raise _without_year_first(int(first), middle, third)
    month, day = (int(first), middle) if order is DateOrder.MDY else (middle, int(first))
    if month > 12 and _is_day(_year(third), day, month):
        raise WrongOrder(f"month {month}: this date contradicts the configured order {order.value!r}")
    return _day(_year(third), month, day)


def _in_words(text: str) -> date:
    if text and not text.strip("#"):
        raise NotADate("not a date: a spreadsheet's column was too narrow to show it")
    if _SERIAL.fullmatch(text):
        raise NotADate("not a date: a spreadsheet's number of a day, which doesn't say from when it counts")
    match = _MONTH_FIRST.fullmatch(text) or _DAY_FIRST.fullmatch(text)
    if match is None:
        raise NotADate("not a date")
    word = match["month"].lower()
    named = [number for number, name in enumerate(MONTHS, start=1) if name.startswith(word[:3])]
    if not named or not (MONTHS[named[0] - 1].startswith(word) and (len(word) in (3, 4) or word in MONTHS)):
        raise NotADate("not a date: no such month")
    return _day(_year(match["year"]), named[0], int(match["day"]))


def _without_year_first(first: int, second: int, third: str) -> ValueError:
    """What to raise where the year should come first: a whole year at the end says that the order is another one."""
    year = _year(third)
    if len(third) == 4 and (_is_day(year, first, second) or _is_day(year, second, first)):
        return WrongOrder(f"its year is last: this date contradicts the configured order {DateOrder.YMD.value!r}")
    return NotADate("not a date with the year first")


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= _PIVOT else 2000)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        _day(year, month, day)
    except NotADate:
        return False
    return True


def _day(year: int, month: int, day: int) -> date:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise NotADate(f"the year {year} is implausible")
    try:
        return date(year, month, day)
    except ValueError:
        raise NotADate("no such day in the calendar") from None
