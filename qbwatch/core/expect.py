"""Which exports should have come by now, and which are missing?

An export belongs to the office's day that it speaks for (its ``as_of``), so a file that is sent twice counts for one
day, and one that the sync brings late counts for its own. What is expected is configured, or learned by `cadence`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from qbwatch.core.freshness import IsClosed

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORKWEEK, WHOLE_WEEK = frozenset(range(5)), frozenset(range(7))
_EVENING_BEFORE = timedelta(hours=12)  # an export of 10 p.m. is in time for "by 06:00"
CLOCKS_DIFFER = timedelta(days=1)  # an export that speaks for a later moment has a wrong clock, and says nothing
_LOOKED_BACK = 400  # days; a weekday may be closed for long


@dataclass(frozen=True, slots=True)
class Export:
    """One export of a dataset: the moment that it speaks for, and the one at which it was first seen."""

    as_of: datetime
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Week:
    """The office's calendar."""

    zone: ZoneInfo
    is_closed: IsClosed

    def day_of(self, at: datetime) -> date:
        """The day on the office's wall."""
        return at.astimezone(self.zone).date()

    def at(self, day: date, after_midnight: timedelta) -> datetime:
        """A moment of the office's wall clock."""
        return datetime.combine(day, time(), self.zone) + after_midnight


@dataclass(frozen=True, slots=True)
class Expectation:
    """A dataset of which an export should come on these weekdays, ``by`` so long after the office's midnight.

    ``on_closed_days``: also on public holidays. ``usually``: by when it comes as a rule, when that was learned.
    """

    dataset: str
    weekdays: frozenset[int]
    by: timedelta
    on_closed_days: bool = False
    usually: timedelta | None = None

    def is_due_on(self, day: date, week: Week) -> bool:
        """Whether an export of this day is expected."""
        return day.weekday() in self.weekdays and (self.on_closed_days or not week.is_closed(day))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an expectation stands: the days whose export never came, newest last, and the newest export that did.

    ``missing_since``: the deadline that passed without an export, and none has come since; None while all is well.
    """

    expectation: Expectation
    missing_since: datetime | None
    missed: tuple[date, ...]
    last: Export | None


def configured(dataset: str, every: str, by: time) -> Expectation | None:
    """What ``[expect]`` asks for; None for ``never``."""
    if every == "never":
        return None
    after_midnight = timedelta(hours=by.hour, minutes=by.minute, seconds=by.second)
    if every in WEEKDAYS:
        return Expectation(dataset, frozenset({WEEKDAYS.index(every)}), after_midnight)
    is_daily = every == "day"
    return Expectation(dataset, WHOLE_WEEK if is_daily else WORKWEEK, after_midnight, on_closed_days=is_daily)


def standing(
    expectation: Expectation, exports: Sequence[Export], week: Week, known_since: datetime, now: datetime
) -> Standing:
    """How an expectation stands now. Deadlines before ``known_since`` are nobody's fault: nobody watched yet.

    ``exports`` are those that came. When they did may lie ahead, where the machine's clock was set back since.
    """
    came = sorted((each for each in exports if each.as_of <= now + CLOCKS_DIFFER), key=lambda each: each.as_of)
    last = came[-1] if came else None
    due = due_days(expectation, week, known_since, now)
    days, moments = {week.day_of(each.as_of) for each in came}, [each.as_of for each in came]
    missed = tuple(day for day in due if day not in days and not _came_before(expectation, day, moments, week))
    since = None
    for day in reversed(due):
        deadline = week.at(day, expectation.by)
        if day not in missed or (last is not None and last.as_of > deadline):
            break
        since = deadline
    return Standing(expectation, since, missed, last)


def due_days(expectation: Expectation, week: Week, known_since: datetime, now: datetime) -> list[date]:
    """The last fortnight's days (at least one, if there is any) whose deadline has passed, oldest first."""
    today, found = week.day_of(now), list[date]()
    for back in range(_LOOKED_BACK):
        day = today - timedelta(days=back)
        deadline = week.at(day, expectation.by)
        if deadline <= known_since or (back > 14 and found):
            break
        if deadline <= now and expectation.is_due_on(day, week):
            found.append(day)
    return found[::-1]


def _came_before(expectation: Expectation, day: date, moments: Sequence[datetime], week: Week) -> bool:
    """Whether an export of the evening before is there, where a time was configured; ``moments`` are in order."""
    if expectation.usually is not None:
        return False
    deadline = week.at(day, expectation.by)
    return bisect_left(moments, deadline - _EVENING_BEFORE) < bisect_right(moments, deadline)
