"""The order of day and month is configured, never guessed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.dates import DateOrder, NotADate, WrongOrder, parse_date

MDY, DMY, YMD = DateOrder.MDY, DateOrder.DMY, DateOrder.YMD


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("12/31/2023", MDY, date(2023, 12, 31)),
        ("12/01/2023", MDY, date(2023, 12, 1)),
        ("01/02/2024", MDY, date(2024, 1, 2)),
        ("03/04/2024", MDY, date(2024, 3, 4)),
        ("03/04/2024", DMY, date(2024, 4, 3)),
        ("04-17-2025", MDY, date(2025, 4, 17)),
        ("4/7/2025", MDY, date(2025, 4, 7)),
        ("15.01.2024", DMY, date(2024, 1, 15)),
        ("2024-01-15", MDY, date(2024, 1, 15)),
        ("2024-01-15", DMY, date(2024, 1, 15)),
        ("2024/1/15", YMD, date(2024, 1, 15)),
        ("12/31/99", MDY, date(1999, 12, 31)),
        ("12/31/69", MDY, date(2069, 12, 31)),
        ("4/1/5", MDY, date(2005, 4, 1)),
        ("02/29/2024", MDY, date(2024, 2, 29)),
        (" 01/02/2024 ", MDY, date(2024, 1, 2)),
        ("Jan 15, 2024", DMY, date(2024, 1, 15)),
        ("January 15, 2024", MDY, date(2024, 1, 15)),
        ("Apr. 14, 2025", YMD, date(2025, 4, 14)),
        ("Sept. 1, 2025", MDY, date(2025, 9, 1)),
        ("15 Jan 2024", MDY, date(2024, 1, 15)),
        ("15-Jan-24", MDY, date(2024, 1, 15)),
        ("04/14/2025 09:15:00 AM", MDY, date(2025, 4, 14)),
        ("04/14/2025 9:15 p.m.", MDY, date(2025, 4, 14)),
        ("14/04/2025 23:59", DMY, date(2025, 4, 14)),
        ("2024-01-15T00:00:00Z", DMY, date(2024, 1, 15)),
        ("2024-01-15 00:00:00", MDY, date(2024, 1, 15)),
        ("2024-01-15T10:00:00.123-05:00", MDY, date(2024, 1, 15)),
    ],
)
def test_a_date_is_read_in_the_configured_order(text: str, order: DateOrder, day: date) -> None:
    assert parse_date(text, order) == day


@pytest.mark.parametrize("text", ["", "  ", "\u00a0", "0/0/0"])
def test_blank_cells_and_quickbooks_null_are_no_date(text: str) -> None:
    assert parse_date(text, MDY) is None


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("31/12/2023", MDY),
        ("15.01.2024", MDY),
        ("12/31/2023", DMY),
        ("13-01-24", MDY),
        ("12/31/2023", YMD),
        ("31-12-2023", YMD),
        ("03/04/2024", YMD),
        ("31/12/2023 10:00 AM", MDY),
    ],
)
def test_a_date_that_fits_another_order_only_contradicts_the_configuration(text: str, order: DateOrder) -> None:
    with pytest.raises(WrongOrder):
        parse_date(text, order)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("02/30/2024", MDY),
        ("02/29/2023", MDY),
        ("13/13/2023", MDY),
        ("32/12/2023", MDY),
        ("31/02/2024", MDY),
        ("00/10/2024", MDY),
        ("10/00/2024", MDY),
        ("2024-13-01", MDY),
        ("01/02/203", MDY),
        ("123/01/2024", MDY),
        ("01/02/1066", MDY),
        ("01/02/9999", MDY),
        ("13/13/2024", YMD),
        ("01/02-2024", MDY),
        ("Feb-00", MDY),
        ("Feb 30, 2024", MDY),
        ("Jam 15, 2024", MDY),
        ("Januarius 15, 2024", MDY),
        ("Monday, Jan 15, 2024", MDY),
        ("########", MDY),
        ("01/02/2024 25", MDY),
        ("01/02/2024 later", MDY),
        ("10:00", MDY),
        ("1744617600", MDY),
        ("45292", MDY),
        ("０１/０２/２０２４", MDY),
        ("01/02/2024\n03/04/2024", MDY),
        ("04/05/24", YMD),
    ],
)
def test_what_is_no_day_of_the_calendar_is_refused(text: str, order: DateOrder) -> None:
    with pytest.raises(NotADate):
        parse_date(text, order)


@pytest.mark.parametrize("text", ["45748", "45748.5"])
def test_a_spreadsheets_number_of_a_day_is_called_that(text: str) -> None:
    with pytest.raises(NotADate, match="a spreadsheet's number of a day"):
        parse_date(text, DateOrder.MDY)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)), st.sampled_from("-/."))
def test_every_day_survives_being_written_and_read(day: date, mark: str) -> None:
    assert parse_date(day.strftime(f"%m{mark}%d{mark}%Y"), MDY) == day
    assert parse_date(day.strftime(f"%d{mark}%m{mark}%Y"), DMY) == day
    assert parse_date(day.strftime(f"%Y{mark}%m{mark}%d"), YMD) == day


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_the_other_order_is_read_as_configured_or_contradicts_but_never_switches(day: date) -> None:
    text = day.strftime("%d/%m/%Y")
    if day.day > 12:
        with pytest.raises(WrongOrder):
            parse_date(text, MDY)
    else:
        assert parse_date(text, MDY) == date(day.year, day.day, day.month)
