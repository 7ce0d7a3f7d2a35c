"""Has nothing arrived for longer than usual?

What is usual is read off the days on which files arrived: an office that exports daily is missed after a long weekend,
one that exports monthly after five weeks. A few days of history say nothing yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from qbwatch.core.expect import CLOCKS_DIFFER, WORKWEEK, Week

_DAYS_NEEDED = 5
_LATE_BY = 1.5  # times the longest gap so far
_AT_LEAST = timedelta(days=2)
_GAPS = 30  # the most recent ones


def overdue_since(arrivals: Sequence[datetime], at: datetime, week: Week) -> datetime | None:
    """When the next file should have come at the latest; None while that isn't past, or isn't known.

    ``arrivals``: one moment for each day on which files arrived, oldest first. Holidays and the firm's closed days
    are given on top; so is a weekend, as long as none has shown what is usual then.
    """
    arrivals = by_now(arrivals, at)
    if len(arrivals) < _DAYS_NEEDED:
        return None
    gaps = [later - earlier for earlier, later in pairwise(arrivals)][-_GAPS:]
    due_at = arrivals[-1] + max(max(gaps) * _LATE_BY, _AT_LEAST)
    day = week.day_of(arrivals[-1])
    knows_weekends = _holds_a_weekend(week.day_of(arrivals[0]), day)
    while (day := day + timedelta(days=1)) <= week.day_of(due_at) and day <= week.day_of(at):
        if week.is_closed(day) if day.weekday() in WORKWEEK else not knows_weekends:
            due_at += timedelta(days=1)
    return due_at if at > due_at else None


def by_now(arrivals: Sequence[datetime], at: datetime) -> Sequence[datetime]:
    """Without those that a clock noted which was far ahead, and has been set back since: they say nothing of when."""
    return [each for each in arrivals if each <= at + CLOCKS_DIFFER]


def _holds_a_weekend(first: date, last: date) -> bool:
    days = (first + timedelta(days=number) for number in range(min((last - first).days, 6) + 1))
    return any(day.weekday() not in WORKWEEK for day in days)
