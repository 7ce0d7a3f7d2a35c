"""The page's charts are right as shapes and as text."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from qbwatch.page.charts import SPAN, bars, days_until, strip, strips

LAST = date(2026, 11, 25)  # a Wednesday


def test_bars_rise_from_zero_in_proportion() -> None:
    chart = bars("Sales", "in money", {LAST: Decimal(200), LAST - timedelta(days=1): Decimal(50)}, LAST)
    assert chart is not None
    assert [(bar.y, bar.height) for bar in chart.bars[-2:]] == [("75", "25"), ("0", "100")]
    assert chart.zero == "100"
    assert len(chart.bars) == SPAN
    assert {bar.height for bar in chart.bars[:-2]} == {"0"}


def test_a_day_of_returns_hangs_below_the_line() -> None:
    chart = bars("Sales", "in money", {LAST: Decimal(300), LAST - timedelta(days=1): Decimal(-100)}, LAST)
    assert chart is not None
    assert chart.zero == "75"
    assert [(bar.y, bar.height, bar.is_below) for bar in chart.bars[-2:]] == [("75", "25", True), ("0", "75", False)]
    assert chart.bars[-2].value == "-100"


def test_a_small_day_is_still_seen() -> None:
    chart = bars("Rows", "rows", {LAST: Decimal(1_000_000), LAST - timedelta(days=1): Decimal(1)}, LAST)
    assert chart is not None
    assert chart.bars[-2].height == "1"


@pytest.mark.parametrize("values", [{}, {LAST: Decimal(0)}, {LAST - timedelta(days=SPAN): Decimal(5)}])
def test_nothing_within_the_weeks_is_no_chart(values: dict[date, Decimal]) -> None:
    assert bars("Sales", "in money", values, LAST) is None


def test_all_days_below_zero_hang_from_the_top() -> None:
    chart = bars("Sales", "in money", {LAST: Decimal(-5)}, LAST)
    assert chart is not None
    assert (chart.zero, chart.bars[-1].y, chart.bars[-1].height) == ("0", "0", "100")


def test_the_summary_says_the_sum_and_the_best_day() -> None:
    chart = bars("Sales", "in money", {LAST: Decimal("1200.40"), LAST - timedelta(days=5): Decimal(800)}, LAST)
    assert chart is not None
    assert chart.summary == (
        "Sales, Thu, Oct 29 to Wed, Nov 25: 2,000 in money in all; the most on Wed, Nov 25, 1,200."
    )


def test_a_strip_tells_each_day_apart() -> None:
    came = {LAST: "refused", LAST - timedelta(days=1): "loaded", LAST - timedelta(days=2): "waiting"}
    made = strip("Invoices", came, LAST)
    assert [cell.kind for cell in made.cells[-5:]] == ["rest", "rest", "waiting", "loaded", "refused"]
    assert made.cells[0].kind == "none"
    assert made.summary == (
        "Invoices: files on 3 of the last 28 days, the last on Wed, Nov 25; "
        "1 day with a file that was refused; 1 day with a file that waits."
    )


def test_datasets_that_did_not_come_have_no_strip() -> None:
    arrivals = {"a": {LAST: "loaded"}, "b": {LAST - timedelta(days=SPAN): "loaded"}}
    assert [each.title for each in strips(arrivals, [("b", "B"), ("a", "A"), ("c", "C")], LAST)] == ["A"]


def test_the_weeks_end_today() -> None:
    days = days_until(LAST)
    assert (days[0], days[-1], len(days)) == (date(2026, 10, 29), LAST, 28)
