"""How old is the data, in days on which the firm works?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

IsClosed = Callable[[date], bool]


class Freshness(StrEnum):
    """``fresh`` up to the limit, ``warn`` up to twice the limit, then ``stale``; ``never``: nothing was ever loaded."""

    FRESH = "fresh"
    WARN = "warn"
    STALE = "stale"
    NEVER = "never"


def last_whole_day(as_of: datetime, zone: ZoneInfo) -> date:
    """The last day that an export of this moment covers wholly, in the office's zone.

    An export of 2 a.m. is complete through the day before; one "of the day" (23:59:59) through that day.
    """
    return (as_of.astimezone(zone) + timedelta(seconds=1)).date() - timedelta(days=1)


def business_days_between(earlier: date, later: date, is_closed: IsClosed) -> int:
    """Business days after ``earlier``, up to and including ``later``; 0 when ``later`` isn't later.

    An export of Friday evening is 0 business days old on Sunday and 1 on Monday.
    """
    days, day = 0, earlier
    while day < later:
        day += timedelta(days=1)
        if day.weekday() < 5 and not is_closed(day):
            days += 1
    return days


def judge(age_business_days: int | None, limit: int | None) -> Freshness:
    """The state of a relation of this age; no age means that it never was current, no limit that no age is too old."""
    if age_business_days is None:
        return Freshness.NEVER
    if limit is None or age_business_days <= limit:
        return Freshness.FRESH
    return Freshness.WARN if age_business_days <= 2 * limit else Freshness.STALE
