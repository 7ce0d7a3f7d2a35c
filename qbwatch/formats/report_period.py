"""Which days does a report's period line cover?

``January 1 - March 31, 2025``, ``April 1-14, 2025``, ``1 Jan - 31 Mar 2025``, ``January through March 2025``, ``January
2024``, ``2023 - 2024``, ``From January 1 to March 31, 2025``, ``As of March 31, 2025``: two ends, of which the first
may leave out what the second states and the other way round. Every word of the line must be understood; a line that
holds anything else is no period.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date

from qbwatch.core.dates import MONTHS, DateOrder, NotADate, WrongOrder, parse_date
from qbwatch.formats.facts import Period

_RANGE = re.compile(r"\s*(?:[-–—]|\bthrough\b|\bto\b)\s*", re.IGNORECASE)
_NUMERIC = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}"
_NUMERIC_RANGE = re.compile(rf"({_NUMERIC})\s*(?:[-–—]|through|to)\s*({_NUMERIC})", re.IGNORECASE)
_NUMERIC_DAY = re.compile(_NUMERIC)
_BEFORE = re.compile(r"(?:for the )?period:?\s+(?:of\s+|from\s+)?|from\s+", re.IGNORECASE)
_AS_OF = re.compile(r"as (?:of|at)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a period as far as it is written out."""

    day: int | None = None
    month: int | None = None
    year: int | None = None


def read_month(word: str) -> int | None:
    """The number of a month that is written out or shortened to at least three letters (``Apr.``, ``Sept``)."""
    plain = word.lower().rstrip(".")
    if len(plain) < 3:
        return None
    return next((number for number, name in enumerate(MONTHS, start=1) if name.startswith(plain)), None) or (
        9 if plain == "sept" else None
    )


def read_period(text: str, order: DateOrder) -> Period | None:
    """The period that a line states, or None when it states none. ``order`` is for dates of numbers only."""
    line = " ".join(text.replace("\u00a0", " ").split())
    as_of = _AS_OF.match(line)
    if as_of:
        return _single_day(line[as_of.end() :], order)
    line = _BEFORE.sub("", line, count=1) if _BEFORE.match(line) else line
    if match := _NUMERIC_RANGE.fullmatch(line):
        start, end = _numeric(match[1], order), _numeric(match[2], order)
        return Period(start, end) if start and end and start <= end else None
    ends = [_read_end(part) for part in _RANGE.split(line)]
    first, last = ends[0], ends[-1]
    return _spanning(first, last) if first and last and len(ends) <= 2 else None


def is_as_of(text: str) -> bool:
    """Whether a line states the day of a position (``As of March 31, 2025``) and not a stretch of days."""
    return _AS_OF.match(text.strip()) is not None


def _single_day(text: str, order: DateOrder) -> Period | None:
    if _NUMERIC_DAY.fullmatch(text):
        day = _numeric(text, order)
        return Period(day, day) if day else None
    end = _read_end(text)
    period = _spanning(end, end) if end and end.day else None
    return period if period and period.first == period.last else None


def _numeric(text: str, order: DateOrder) -> date | None:
    try:
        return parse_date(text, order)
    except (NotADate, WrongOrder):
        return None


def _read_end(text: str) -> _End | None:
    """Day, month and year in any order; None as soon as one word is none of them, or comes twice."""
    end = _End()
    for word in text.replace(",", " ").split():
        number = int(word) if re.fullmatch(r"[0-9]{1,4}", word) else None
        month = read_month(word)
        if month is not None and end.month is None:
            end = replace(end, month=month)
        elif number is not None and len(word) == 4 and end.year is None:
            end = replace(end, year=number)
        elif number is not None and len(word) <= 2 and end.day is None:
            end = replace(end, day=number)
        else:
            return None
    return None if end == _End() else end


def _spanning(first: _End, last: _End) -> Period | None:
    """Both ends, each completed from the other: the year from the last one, a month from whichever has it."""
    year_first, year_last = first.year or last.year, last.year or first.year
    if year_first is None or year_last is None:
        return None
    if (first.day is None) != (last.day is None):
        return None
    month_first, month_last = first.month or last.month, last.month or first.month
    if first.day is not None and month_first is None:
        return None
    try:
        start = date(year_first, month_first or 1, first.day or 1)
        end_month = month_last or 12
        end = date(year_last, end_month, last.day or monthrange(year_last, end_month)[1])
    except ValueError:
        return None
    return Period(start, end) if start <= end else None
