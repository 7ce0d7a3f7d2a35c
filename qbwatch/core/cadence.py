"""When does an export usually come? Learned from those that came, where nothing was configured.

It takes two weeks of exports on all business days (or on all days), five weeks of one on some weekdays. A day or two
that were late, doubled or missing change nothing; exports that come at any hour of the day have no cadence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from qbwatch.core.expect import WHOLE_WEEK, WORKWEEK, Expectation, Export, Week
from qbwatch.core.freshness import IsClosed

FRESH = timedelta(hours=36)  # what arrives later after its moment was handed in afterwards, and says nothing of when
_DAYS, _FEWEST_DAYS, _MOST_LACK = 20, 10, 0.2  # of business days, or of days
_WEEKS, _FEWEST_WEEKS = 6, 5  # of single weekdays: one of them may lack
_REGULAR = timedelta(hours=4)  # between the early and the late ones
_LEEWAY = timedelta(hours=2)  # after the usual time, at least


def learned(dataset: str, exports: Sequence[Export], week: Week) -> Expectation | None:
    """The cadence of a dataset, or None while there is none. A long silence doesn't end it: it ends with an export."""
    hours = _hours(exports, week)
    if not hours:
        return None
    weekdays = _weekdays(hours, week)
    times = sorted(after for day, after in sorted(hours.items())[-_DAYS:] if day.weekday() in weekdays)
    if not times:
        return None
    early, usually = times[round(0.15 * (len(times) - 1))], times[int(0.85 * (len(times) - 1))]
    spread = usually - early
    if spread > _REGULAR:
        return None
    on_closed_days = weekdays == WHOLE_WEEK
    return Expectation(dataset, weekdays, usually + max(_LEEWAY, 2 * spread), on_closed_days, usually)


def _hours(exports: Sequence[Export], week: Week) -> Mapping[date, timedelta]:
    """By the day that an export speaks for: how long after its midnight the first one came, on the wall clock."""
    found: dict[date, timedelta] = {}
    for each in exports:
        if abs(each.arrived_at - each.as_of) > FRESH:
            continue
        day = week.day_of(each.as_of)
        came = each.arrived_at.astimezone(week.zone).replace(tzinfo=None) - week.at(day, timedelta()).replace(
            tzinfo=None
        )
        found[day] = min(came, found.get(day, came))
    return found


def _weekdays(came: Collection[date], week: Week) -> frozenset[int]:
    """The weekdays on which exports come; empty when there is no telling."""
    if _comes_on(WHOLE_WEEK, came, lambda _day: False):
        return WHOLE_WEEK
    if _comes_on(WORKWEEK, came, week.is_closed):
        return WORKWEEK
    last = max(came)
    usual = set()
    for weekday in range(7):
        days = _latest({weekday}, last, min(came), week.is_closed, _WEEKS)
        if len(days) >= _FEWEST_WEEKS and sum(day in came for day in days) >= len(days) - 1:
            usual.add(weekday)
    return frozenset(usual)


def _comes_on(weekdays: Collection[int], came: Collection[date], is_closed: IsClosed) -> bool:
    days = _latest(weekdays, max(came), min(came), is_closed, _DAYS)
    if len(days) < _FEWEST_DAYS or sum(day not in came for day in days) > _MOST_LACK * len(days):
        return False
    by_weekday = [[day in came for day in days if day.weekday() == weekday] for weekday in weekdays]
    return all(2 * sum(seen) >= len(seen) for seen in by_weekday)


def _latest(weekdays: Collection[int], last: date, first: date, is_closed: IsClosed, most: int) -> list[date]:
    """The newest days of these weekdays on which the office was open."""
    found, day = list[date](), last
    while day >= first and len(found) < most:
        if day.weekday() in weekdays and not is_closed(day):
            found.append(day)
        day -= timedelta(days=1)
    return found
