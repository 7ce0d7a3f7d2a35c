"""What a report says of itself: title, company, period, basis, and when it was printed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from small_reports import SALES, read_report, sale, sales_report, section

from qbwatch.core.dates import DateOrder
from qbwatch.formats.facts import Basis, Period
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_period import read_period
from qbwatch.formats.report_text import read_footer


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("January 1 - March 31, 2025", "2025-01-01", "2025-03-31"),
        ("January 1, 2024 - March 31, 2025", "2024-01-01", "2025-03-31"),
        ("April 1-14, 2025", "2025-04-01", "2025-04-14"),
        ("April 1–14, 2025", "2025-04-01", "2025-04-14"),
        ("1 - 14 April 2025", "2025-04-01", "2025-04-14"),
        ("1 Jan - 31 Mar 2025", "2025-01-01", "2025-03-31"),
        ("Jan 1 - Mar 31, 2025", "2025-01-01", "2025-03-31"),
        ("1 January 2025 - 31 March 2025", "2025-01-01", "2025-03-31"),
        ("January 2024", "2024-01-01", "2024-01-31"),
        ("Feb. 2024", "2024-02-01", "2024-02-29"),
        ("January - March, 2025", "2025-01-01", "2025-03-31"),
        ("January through March 2025", "2025-01-01", "2025-03-31"),
        ("November 2024 - January 2025", "2024-11-01", "2025-01-31"),
        ("2024", "2024-01-01", "2024-12-31"),
        ("2023 - 2024", "2023-01-01", "2024-12-31"),
        ("March 31, 2025", "2025-03-31", "2025-03-31"),
        ("As of March 31, 2025", "2025-03-31", "2025-03-31"),
        ("As of 31 Mar 2025", "2025-03-31", "2025-03-31"),
        ("As of 3/31/2025", "2025-03-31", "2025-03-31"),
        ("01/01/2025 - 03/31/2025", "2025-01-01", "2025-03-31"),
        ("Sept 1 - Oct 2, 2025", "2025-09-01", "2025-10-02"),
        ("January 1-15, 2025", "2025-01-01", "2025-01-15"),
        ("From January 1 to March 31, 2025", "2025-01-01", "2025-03-31"),
        ("For the period January 1 - March 31, 2025", "2025-01-01", "2025-03-31"),
        ("Period: 01/01/2025 to 03/31/2025", "2025-01-01", "2025-03-31"),
    ],
)
def test_a_period_is_read_in_every_way_it_is_printed(text: str, first: str, last: str) -> None:
    assert read_period(text, DateOrder.MDY) == period(first, last)


@pytest.mark.parametrize(
    "text",
    [
        "All Dates", "Ostrand Lockworks Inc.", "March Brothers LLC", "2024 Holdings", "June", "May", "",
        "April 31, 2025", "March 31 - January 1, 2025", "31, 2025", "As of March 2025", "04/14/25", "11:04 AM",
        "1 - 2 - 3 April 2025", "Since January 1, 2025", "Through March 31, 2025", "Q1 2025", "Fiscal Year 2025",
    ],
)  # fmt: skip
def test_what_isn_t_wholly_understood_is_no_period(text: str) -> None:
    assert read_period(text, DateOrder.MDY) is None


def test_a_period_of_numbers_is_read_in_the_configured_order() -> None:
    assert read_period("01/02/2025 - 03/04/2025", DateOrder.DMY) == period("2025-02-01", "2025-04-03")
    assert read_period("01/02/2025 - 03/31/2025", DateOrder.DMY) is None


FOUR_BEHIND = timezone(-timedelta(hours=4))


@pytest.mark.parametrize(
    ("text", "basis", "printed_at"),
    [
        (
            "Saturday, Sep 05, 2026 07:30:59 AM GMT-7 - Accrual Basis",
            Basis.ACCRUAL,
            datetime(2026, 9, 5, 7, 30, 59, tzinfo=timezone(-timedelta(hours=7))),
        ),
        (
            "Accrual Basis Wednesday, September 30, 2026 01:47 PM GMT-05:00",
            Basis.ACCRUAL,
            datetime(2026, 9, 30, 13, 47, tzinfo=timezone(-timedelta(hours=5))),
        ),
        ("Cash Basis  Monday, April 14, 2025 06:02 PM GMTZ", Basis.CASH, datetime(2025, 4, 14, 18, 2, tzinfo=UTC)),
        (" Monday, April 14, 2025 09:15 AM GMT-04:00", None, datetime(2025, 4, 14, 9, 15, tzinfo=FOUR_BEHIND)),
        (
            "Monday, Apr. 14, 2025 08:36:09 a.m. GMT-4 - Cash Basis",
            Basis.CASH,
            datetime(2025, 4, 14, 8, 36, 9, tzinfo=FOUR_BEHIND),
        ),
        (
            "Monday, 14 April 2025 12:05 am GMT+5:30",
            None,
            datetime(2025, 4, 14, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ),
        ("Monday, April 14, 2025 21:15", None, datetime(2025, 4, 14, 21, 15)),  # noqa: DTZ001
        ("Accrual basis", Basis.ACCRUAL, None),
    ],
)
def test_a_footer_is_read_in_every_way_it_is_printed(
    text: str, basis: Basis | None, printed_at: datetime | None
) -> None:
    footer = read_footer([text, "", ""])
    assert footer is not None
    assert (footer.basis, footer.printed_at) == (basis, printed_at)
    assert printed_at is None or footer.printed_at is None or footer.printed_at.utcoffset() == printed_at.utcoffset()


def test_a_footer_that_lost_its_quotes_is_still_one() -> None:
    footer = read_footer(["Wednesday", " January 31", " 2024 05:12 PM GMT-08:00 - Accrual Basis", "", ""])
    assert footer is not None
    assert footer.basis is Basis.ACCRUAL
    assert footer.printed_at == datetime(2024, 1, 31, 17, 12, tzinfo=timezone(-timedelta(hours=8)))


@pytest.mark.parametrize(
    "text", ["Monday Market", "Sunday, Bloody Sunday", "Accrual Partners", "Cash Basis Consulting", "Friday, 1 cup", ""]
)
def test_a_name_that_begins_like_a_footer_is_none(text: str) -> None:
    assert read_footer([text, "", ""]) is None


def test_an_hour_that_no_clock_shows_leaves_the_moment_open() -> None:
    footer = read_footer(["Monday, April 14, 2025 29:99 GMT-99"])
    assert footer is not None
    assert footer.printed_at is None


@pytest.mark.parametrize(
    ("above", "title", "company"),
    [
        (SALES, "Sales by Customer Detail", "Acme Ltd"),
        ("Acme Ltd\nSales by Customer Detail\nAll Dates\n\n", "Sales by Customer Detail", "Acme Ltd"),
        ("Acme Ltd\nAll my sales\n\n", "All my sales", "Acme Ltd"),
        ("My Sales Report\nAcme Ltd\n", "My Sales Report", "Acme Ltd"),
        ("Acme Ltd\n", None, "Acme Ltd"),
        ("Journal Square Tea\nSales by Customer Detail\n", "Sales by Customer Detail", "Journal Square Tea"),
        ("", None, None),
    ],
)
def test_title_and_company_are_told_apart_whichever_comes_first(
    above: str, title: str | None, company: str | None
) -> None:
    facts = read_report(sales_report(section("Odell"), sale("01/20/2025", "5.00"), above=above)).part.facts
    assert (facts.title, facts.company) == (title, company)


def test_the_file_s_name_tells_an_unknown_title_from_the_company() -> None:
    above = "Odd and Even\nAcme Ltd\n\n"
    text = sales_report(section("Odell"), sale("01/20/2025", "5.00"), above=above)
    assert read_report(text, "Acme Ltd_Odd and Even.csv").part.facts.title == "Odd and Even"
    assert read_report(text, "Odd and Even_Acme Ltd.csv").part.facts.title == "Acme Ltd"


def test_basis_and_all_dates_may_stand_above_the_header() -> None:
    facts = read_report(sales_report(above="Acme Ltd\nSales by Customer Detail\nall  dates\nCash Basis\n\n")).part.facts
    assert (facts.basis, facts.is_all_dates, facts.period) == (Basis.CASH, True, None)


def test_a_line_that_is_no_period_is_told_where_none_is_printed() -> None:
    above = "Acme Ltd\nSales by Customer Detail\n{}\n\n"
    report = [section("Odell"), sale("01/20/2025", "5.00")]
    part = read_report(sales_report(*report, above=above.format("Q1 2025"))).part
    assert part.notes == (
        "it speaks for the days of its rows: no line above its header was read as a period ('Q1 2025')",
    )
    for known in ("All Dates", "January 2025", "As of January 31, 2025"):
        assert read_report(sales_report(*report, above=above.format(known))).part.notes == ()


def test_a_day_up_to_which_a_report_lists_is_no_period_but_its_last_day() -> None:
    above = "Acme Ltd\nSales by Customer Detail\nAs of January 31, 2025\n\n"
    part = read_report(sales_report(section("Odell"), sale("01/20/2025", "5.00"), above=above)).part
    assert (part.facts.period, part.facts.until) == (None, date(2025, 1, 31))
    with pytest.raises(Refusal, match="2025-02-01, outside of the period"):
        read_report(sales_report(section("Odell"), sale("02/01/2025", "5.00"), above=above))
