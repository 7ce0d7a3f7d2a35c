"""Which exports should have come, and when do they usually?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.cadence import learned
from qbwatch.core.calendar import closed_days
from qbwatch.core.expect import Expectation, Export, Standing, Week, configured, standing
from qbwatch.core.missing import ending_of, expected, problems_of, standings_of

ZONE = ZoneInfo("America/New_York")
HOLIDAYS = Week(ZONE, closed_days("US", [date(2026, 12, 24)]))
INVOICES = "quickbooks.invoices"
START = datetime(2026, 1, 1, tzinfo=UTC)
MONDAY = date(2026, 11, 2)


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of the office's clock."""
    return datetime.combine(day, time(hour, minute, second), ZONE)


def export(day: date, hour: int = 2, minute: int = 0, late: timedelta = timedelta(minutes=5)) -> Export:
    return Export(at(day, hour, minute), at(day, hour, minute) + late)


def business_days(first: date, count: int, week: Week = HOLIDAYS) -> list[date]:
    found, day = list[date](), first
    while len(found) < count:
        if day.weekday() < 5 and not week.is_closed(day):
            found.append(day)
        day += timedelta(days=1)
    return found


def by_six(every: str = "business day") -> Expectation:
    found = configured(INVOICES, every, time(6))
    assert found is not None
    return found


def stands(expectation: Expectation, exports: Sequence[Export], now: datetime, since: datetime = START) -> Standing:
    return standing(expectation, [each for each in exports if each.arrived_at <= now], HOLIDAYS, since, now)


def is_missing(exports: Sequence[Export], now: datetime, every: str = "business day") -> bool:
    return stands(by_six(every), exports, now).missing_since is not None


def test_it_is_missing_at_its_deadline_and_not_before() -> None:
    came = [export(MONDAY)]
    tuesday = MONDAY + timedelta(days=1)
    assert not is_missing(came, at(tuesday, 5, 59, 59))
    assert stands(by_six(), came, at(tuesday, 6)).missing_since == at(tuesday, 6)
    assert is_missing(came, at(tuesday, 23))


def test_weekends_holidays_and_the_firms_closed_days_expect_nothing() -> None:
    friday = MONDAY + timedelta(days=4)
    assert not is_missing([export(friday)], at(friday + timedelta(days=2), 20))
    thanksgiving_eve, thanksgiving = date(2026, 11, 25), date(2026, 11, 26)
    assert not is_missing([export(thanksgiving_eve)], at(thanksgiving, 20))
    assert is_missing([export(thanksgiving_eve)], at(thanksgiving + timedelta(days=1), 6))
    assert not is_missing([export(date(2026, 12, 23))], at(date(2026, 12, 25), 20))


def test_a_late_one_ends_it_and_does_not_stand_for_the_next_day() -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    came = [export(MONDAY), export(tuesday, 11)]
    assert not is_missing(came, at(tuesday, 12))
    assert is_missing(came, at(wednesday, 6))


def test_what_the_sync_brings_late_counts_for_its_own_day() -> None:
    tuesday = MONDAY + timedelta(days=1)
    late = export(MONDAY, late=timedelta(hours=30))  # Tuesday, 8:00
    assert is_missing([late], at(MONDAY, 7))
    assert is_missing([late], at(tuesday, 9))
    assert stands(by_six(), [late], at(tuesday, 9), since=at(MONDAY, 1)).missed == (tuesday,)


def test_one_that_comes_twice_counts_once() -> None:
    twice = [export(MONDAY), export(MONDAY, 9), export(MONDAY, 16)]
    assert is_missing(twice, at(MONDAY + timedelta(days=1), 6))


def test_an_export_of_the_evening_before_is_in_time() -> None:
    sunday = MONDAY - timedelta(days=1)
    assert not is_missing([export(sunday, 22)], at(MONDAY, 7))


def test_an_export_from_the_future_says_nothing() -> None:
    assert is_missing([export(date(2036, 1, 1), late=timedelta(days=-3650))], at(MONDAY, 7))


def test_days_before_anybody_watched_are_nobodys_fault() -> None:
    assert stands(by_six(), [], at(MONDAY, 12), since=at(MONDAY, 9)).missing_since is None
    assert stands(by_six(), [], at(MONDAY + timedelta(days=1), 7), since=at(MONDAY, 9)).missing_since is not None
    assert standings_of({}, {INVOICES: by_six()}, HOLIDAYS, None, at(MONDAY, 7)) == []


def test_a_weekday_alone_can_be_expected_and_every_day_and_never() -> None:
    assert configured(INVOICES, "never", time(6)) is None
    sunday = MONDAY - timedelta(days=1)
    assert is_missing([export(sunday - timedelta(days=1))], at(sunday, 7), "day")
    thursdays = [export(MONDAY + timedelta(days=3))]
    assert not is_missing(thursdays, at(MONDAY + timedelta(days=9), 12), "thursday")
    assert is_missing(thursdays, at(MONDAY + timedelta(days=10), 6), "thursday")


def test_clocks_that_change_move_no_deadline_on_the_wall() -> None:
    summer_begins = date(2026, 3, 8)
    for day, hour in ((date(2026, 3, 7), 11), (summer_begins, 10)):
        since = at(day, 1)
        assert stands(by_six("day"), [], at(day, 6), since).missing_since == datetime(
            2026, 3, day.day, hour, tzinfo=UTC
        )


# the usual cadence


def usual(exports: Sequence[Export]) -> Expectation | None:
    return learned(INVOICES, exports, HOLIDAYS)


def nightly(days: Collection[date]) -> list[Export]:
    return [export(day) for day in days]


def test_two_weeks_of_nightly_exports_are_a_cadence() -> None:
    days = business_days(MONDAY, 10)
    assert usual(nightly(days[:9])) is None
    found = usual(nightly(days))
    assert found is not None
    assert expected(found) == "Invoices usually come by 02:05 on business days"
    assert (found.by, found.on_closed_days) == (timedelta(hours=4, minutes=5), False)


def test_neither_a_late_nor_a_doubled_nor_a_missing_day_changes_it() -> None:
    days = business_days(MONDAY, 20)
    came = nightly([*days[:6], *days[8:]])
    came[3] = export(days[3], 11)
    came += [export(days[4], 9), export(days[4], 15)]
    assert usual(came) == usual(nightly(days))


def test_a_long_silence_does_not_end_it() -> None:
    days = business_days(date(2026, 8, 3), 20)
    now = at(MONDAY, 12)
    (found,) = standings_of({INVOICES: nightly(days)}, {}, HOLIDAYS, START, now)
    assert found.missing_since is not None
    (problem,) = problems_of([found], HOLIDAYS)
    assert problem.summary == ("Invoices usually come by 02:05 on business days; none since Friday 28 August, 02:00")
    assert (problem.failure_class.value, problem.concerns) == ("missing_files", INVOICES)


def test_an_office_that_exports_every_day_is_missed_on_a_sunday() -> None:
    found = usual(nightly([MONDAY + timedelta(days=n) for n in range(14)]))
    assert found is not None
    assert expected(found) == "Invoices usually come by 02:05 every day"


def test_one_day_of_the_week_takes_five_weeks_to_be_learned() -> None:
    mondays = [MONDAY + timedelta(weeks=n) for n in range(5)]
    assert usual(nightly(mondays[:4])) is None
    found = usual(nightly(mondays))
    assert found is not None
    assert expected(found) == "Invoices usually come by 02:05 on Mondays"


def test_a_day_on_which_the_office_never_exports_is_not_expected() -> None:
    days = [day for day in business_days(MONDAY - timedelta(weeks=8), 40) if day.weekday() != 4]
    found = usual(nightly(days))
    assert found is not None
    assert found.weekdays == {0, 1, 2, 3}


def test_exports_by_hand_at_any_hour_have_no_cadence() -> None:
    hours = [9, 16, 11, 20, 14, 10, 18, 8, 13, 21] * 2
    days = business_days(MONDAY - timedelta(weeks=6), 20)
    assert usual([export(day, hour) for day, hour in zip(days, hours, strict=True)]) is None


def test_history_that_is_handed_in_at_once_teaches_no_hour() -> None:
    now = at(MONDAY, 10)
    history = [Export(at(day, 2), now) for day in business_days(date(2026, 8, 3), 40)]
    assert usual(history) is None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 23), st.integers(-50, 50)), max_size=60))
def test_any_arrivals_have_a_standing(drops: list[tuple[int, int, int]]) -> None:
    came = [export(MONDAY + timedelta(days=day), hour, late=timedelta(hours=lag)) for day, hour, lag in drops]
    for each in standings_of({INVOICES: came}, {}, HOLIDAYS, START, at(MONDAY + timedelta(days=40), 12)):
        assert (each.missing_since is None) or each.missed
        problems_of([each], HOLIDAYS)


# how it ended


def test_the_end_says_whether_the_missing_one_came() -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    opened = at(tuesday, 6)
    late = stands(by_six(), [export(MONDAY), export(tuesday, 11)], at(tuesday, 11, 6))
    assert (
        ending_of(late, opened, HOLIDAYS).text
        == "Invoices came: Tuesday 3 November, 11:05. It was late; nothing is missing."
    )
    never = stands(by_six(), [export(MONDAY), export(wednesday)], at(wednesday, 2, 6))
    ending = ending_of(never, opened, HOLIDAYS)
    assert "Those of Tuesday 3 November never did" in ending.text
    assert ending.has_gap


@pytest.mark.parametrize("way", ["configured", "learned"])
def test_the_text_of_what_is_missing_names_the_last_one(way: str) -> None:
    days = business_days(MONDAY, 12)
    asked = {INVOICES: by_six()} if way == "configured" else {}
    (found,) = standings_of({INVOICES: nightly(days[:11])}, asked, HOLIDAYS, START, at(days[11], 7))
    words = "should come by 06:00" if way == "configured" else "usually come by 02:05"
    (problem,) = problems_of([found], HOLIDAYS)
    assert problem.summary == f"Invoices {words} on business days; none since Tuesday 17 November, 02:00"
