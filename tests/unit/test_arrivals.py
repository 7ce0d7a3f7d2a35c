"""How long may nothing arrive?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from qbwatch.core.arrivals import overdue_since as overdue
from qbwatch.core.expect import Week

MONDAY = datetime(2026, 11, 2, 11, tzinfo=UTC)
WORKDAYS = [MONDAY + timedelta(weeks=week, days=day) for week in range(3) for day in range(5)]
WEEK = Week(ZoneInfo("America/New_York"), lambda day: False)
LAST = WORKDAYS[-1]  # a Friday


def overdue_since(arrivals: Sequence[datetime], at: datetime, week: Week = WEEK) -> datetime | None:
    return overdue(arrivals, at, week)


def test_a_weekend_is_usual_for_an_office_that_exports_on_workdays() -> None:
    assert overdue_since(WORKDAYS, LAST + timedelta(days=4)) is None


def test_a_week_is_not() -> None:
    assert overdue_since(WORKDAYS, LAST + timedelta(days=5)) == LAST + timedelta(days=4.5)


def test_an_office_that_exports_monthly_is_given_its_month() -> None:
    monthly = [MONDAY + timedelta(days=30 * month) for month in range(6)]
    assert overdue_since(monthly, monthly[-1] + timedelta(days=40)) is None
    assert overdue_since(monthly, monthly[-1] + timedelta(days=46)) is not None


def test_hourly_exports_are_not_missed_after_two_hours() -> None:
    daily = [MONDAY + timedelta(days=day) for day in range(10)]
    assert overdue_since(daily, daily[-1] + timedelta(days=1.9)) is None


@pytest.mark.parametrize("days", [0, 1, 4])
def test_a_short_history_says_nothing(days: int) -> None:
    assert overdue_since(WORKDAYS[:days], LAST + timedelta(days=365)) is None


def test_closed_days_are_given_on_top() -> None:
    closed = [date(2026, 11, 26), date(2026, 11, 27)]
    week = Week(WEEK.zone, lambda day: day in closed)
    friday = [*WORKDAYS, LAST + timedelta(days=3), LAST + timedelta(days=4), LAST + timedelta(days=5)]
    assert overdue_since(friday, friday[-1] + timedelta(days=5), week) is None
    assert overdue_since(friday, friday[-1] + timedelta(days=7), week) == friday[-1] + timedelta(days=6.5)


def test_the_first_weekend_is_no_silence() -> None:
    week = WORKDAYS[:5]  # watched since Monday: nothing is known of weekends
    assert overdue_since(week, week[-1] + timedelta(days=3.9)) is None
    assert overdue_since(week, week[-1] + timedelta(days=4.1)) == week[-1] + timedelta(days=4)


def test_after_a_weekend_with_files_one_without_is_missed() -> None:
    daily = [MONDAY + timedelta(days=day) for day in range(12)]  # the last one is a Friday
    assert overdue_since(daily, daily[-1] + timedelta(days=2.1)) == daily[-1] + timedelta(days=2)
