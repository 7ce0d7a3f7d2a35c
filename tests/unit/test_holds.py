"""Which statements are so surprising that a person is asked first?"""

from __future__ import annotations

from datetime import date

import pytest

from qbwatch.core.holds import FEW_ROWS, HOLDS, NO_ROWS, OTHER_REPORT, PERIOD_OVERLAPS, Before, Said, questions
from qbwatch.core.period import ALL_DATES, Period


def april(first: int, last: int) -> Period:
    return Period(date(2025, 4, first), date(2025, 4, last))


def full(rows: int, name: str = "old.csv") -> Said:
    return Said(name, rows, lists_everything=True)


def report(first: int, last: int, rows: int = 5, name: str = "report.csv") -> Said:
    return Said(name, rows, period=april(first, last))


def codes(new: Said, **before: object) -> list[str]:
    return [failure.code for failure in questions(new, Before(**before))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "last", "asked"),
    [(10, 20, []), (9, 20, [FEW_ROWS]), (1, 19, []), (100, 200, []), (99, 200, [FEW_ROWS]), (500, 200, [])],
)
def test_a_full_export_of_less_than_half_the_rows_is_a_question(now: int, last: int, asked: list[str]) -> None:
    assert codes(full(now, "new.csv"), last=full(last), last_full=full(last)) == asked


def test_a_first_full_export_and_a_window_are_no_question() -> None:
    assert codes(full(0)) == []
    assert codes(Said("window.csv", 0)) == []


def test_no_row_where_the_last_had_some_is_one_question_and_names_the_last() -> None:
    asked = questions(full(0, "input/new.csv"), Before(last=full(300), last_full=full(300)))
    assert [failure.code for failure in asked] == [NO_ROWS]
    assert asked[0].reason == "it has no row, where old.csv had 300"
    assert "`qbwatch accept new.csv`" in asked[0].hint
    assert codes(full(0), last=full(0), last_full=full(0)) == []


def test_an_empty_report_is_a_question_where_its_days_had_rows() -> None:
    assert codes(report(1, 30, 0), last=report(1, 30)) == [NO_ROWS]
    assert codes(report(1, 30, 0)) == []


@pytest.mark.parametrize(
    ("days", "asked"),
    [
        ((5, 20), [PERIOD_OVERLAPS]),
        ((1, 10), []),
        ((3, 8), []),
        ((1, 30), []),
        ((15, 30), []),
        ((10, 30), [PERIOD_OVERLAPS]),
    ],
)
def test_a_period_that_overlaps_another_in_part_is_a_question(days: tuple[int, int], asked: list[str]) -> None:
    assert codes(report(*days), overlapping=(report(1, 10),)) == asked


def test_a_report_of_all_dates_holds_every_other() -> None:
    everything = Said("all.csv", 5, lists_everything=True, period=ALL_DATES)
    assert codes(everything, last=report(1, 10), overlapping=(report(1, 10),)) == []
    assert codes(report(1, 10), overlapping=(everything,)) == []


def test_an_overlap_is_no_question_for_a_window_that_a_person_lets_roll() -> None:
    assert codes(report(5, 15), overlapping=(report(1, 10),), is_rolling=True) == []


def test_a_report_that_shares_days_with_one_of_other_rows_is_a_question() -> None:
    other = Said("list.csv", 5, period=april(1, 30), report="Transaction List by Date")
    new = Said("payments.csv", 5, period=april(1, 30), report="Invoices and Received Payments")
    (failure,) = questions(new, Before(other=other))
    assert failure.code == OTHER_REPORT
    assert "shares days with list.csv, a 'Transaction List by Date', which lists other rows" in failure.reason
    assert codes(new) == []


def test_every_question_can_be_accepted() -> None:
    assert {FEW_ROWS, NO_ROWS, PERIOD_OVERLAPS, OTHER_REPORT, "name_disagrees"} == HOLDS
