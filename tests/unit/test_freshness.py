"""How old is the data, in days on which the firm works?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.calendar import UnknownCalendar, closed_days
from qbwatch.core.freshness import Freshness, business_days_between, judge, last_whole_day
from qbwatch.edges.holidays_aside import closed_days_aside

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (date(2025, 4, 11) + timedelta(days=n) for n in range(5))


def never(day: date) -> bool:
    return False


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        (datetime(2025, 4, 17, 6, 0, 3, tzinfo=UTC), date(2025, 4, 16)),  # 2 a.m. in New York
        (datetime(2025, 4, 18, 3, 59, 59, tzinfo=UTC), date(2025, 4, 17)),  # the end of the 17th
        (datetime(2025, 4, 18, 3, 59, 58, tzinfo=UTC), date(2025, 4, 16)),
        (datetime(2025, 4, 18, 4, 0, 0, tzinfo=UTC), date(2025, 4, 17)),  # midnight
    ],
)
def test_an_export_speaks_for_whole_days_of_the_office(as_of: datetime, day: date) -> None:
    assert last_whole_day(as_of, NEW_YORK) == day


@pytest.mark.parametrize(
    ("earlier", "later", "days"),
    [
        (FRIDAY, FRIDAY, 0),
        (FRIDAY, SATURDAY, 0),
        (FRIDAY, SUNDAY, 0),
        (FRIDAY, MONDAY, 1),
        (FRIDAY, TUESDAY, 2),
        (SATURDAY, MONDAY, 1),
        (MONDAY, FRIDAY, 0),
    ],
)
def test_weekends_do_not_age_the_data(earlier: date, later: date, days: int) -> None:
    assert business_days_between(earlier, later, never) == days


def test_holidays_and_the_firms_own_closed_days_do_not_age_it_either() -> None:
    is_closed = closed_days("US", [date(2025, 7, 3)])
    assert is_closed(date(2025, 7, 4))
    assert is_closed(date(2025, 7, 3))
    assert not is_closed(date(2025, 7, 2))
    assert business_days_between(date(2025, 7, 2), date(2025, 7, 7), is_closed) == 1


def test_a_state_has_holidays_of_its_own() -> None:
    patriots_day = date(2025, 4, 21)
    assert closed_days("US-MA", [])(patriots_day)
    assert not closed_days("US", [])(patriots_day)


@pytest.mark.parametrize("country", ["XX", "US-ZZ"])
def test_a_country_or_state_without_a_calendar_is_a_fault_of_the_configuration(country: str) -> None:
    with pytest.raises(UnknownCalendar, match=country):
        closed_days(country, [])
    with pytest.raises(UnknownCalendar, match=country):
        closed_days_aside(country, [])(date(2026, 1, 1))


def test_a_daemon_knows_a_states_holidays_too() -> None:
    is_closed = closed_days_aside("US-MA", [date(2025, 7, 3)])
    assert [is_closed(date(2025, month, day)) for month, day in ((4, 21), (7, 3), (7, 4), (7, 7))] == [
        True, True, True, False,
    ]  # fmt: skip


@given(st.dates(date(2000, 1, 1), date(2099, 1, 1)), st.integers(0, 60), st.integers(0, 60))
def test_ages_add_up(start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    whole = business_days_between(start, end, never)
    assert whole == business_days_between(start, middle, never) + business_days_between(middle, end, never)


@pytest.mark.parametrize(
    ("age", "limit", "state"),
    [
        (None, 2, Freshness.NEVER),
        (None, None, Freshness.NEVER),
        (0, 2, Freshness.FRESH),
        (2, 2, Freshness.FRESH),
        (3, 2, Freshness.WARN),
        (4, 2, Freshness.WARN),
        (5, 2, Freshness.STALE),
        (500, None, Freshness.FRESH),
        (1, 0, Freshness.STALE),
    ],
)
def test_the_limit_divides_fresh_from_warning_and_stale(age: int | None, limit: int | None, state: Freshness) -> None:
    assert judge(age, limit) is state
