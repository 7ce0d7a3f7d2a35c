"""Small charts as shapes in a box of 100 by 100: bars of days, and strips that show on which days a dataset came.

Shapes are numbers here; how they look is the page's style. Each has its figures as text besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from qbwatch.page.words import counted, day

SPAN = 28  # days: four weeks, in which a weekly habit shows
_GAP = Decimal("0.22")  # of a bar's share of the width
_LEAST = Decimal(1)  # height of a bar that isn't zero
_CELL = 10  # side of a strip's cell, in units of its own box


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: place and size as percentages of the box, the day and the figure in words."""

    x: str
    y: str
    width: str
    height: str
    is_below: bool
    day: str
    value: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of days; ``summary`` is what a person sees who can't see it."""

    title: str
    summary: str
    highest: str
    zero: str
    first: str
    last: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a strip, ``kind`` as the page's style knows it; nothing came: ``none``, on a day of rest ``rest``."""

    x: int
    kind: str


@dataclass(frozen=True, slots=True)
class Strip:
    """On which of the days files of a dataset came."""

    title: str
    summary: str
    latest: str
    width: int
    cells: tuple[Cell, ...]


def days_until(last: date, span: int = SPAN) -> list[date]:
    """The days up to and including ``last``, oldest first."""
    return [last - timedelta(days=back) for back in range(span - 1, -1, -1)]


def bars(title: str, unit: str, values: Mapping[date, Decimal], last: date) -> Bars | None:
    """Values by day, negative ones below the line; None where there is none."""
    days = days_until(last)
    shown = [values.get(each, Decimal(0)) for each in days]
    highest, lowest = max(*shown, Decimal(0)), min(*shown, Decimal(0))
    if highest == lowest:
        return None
    zero = highest / (highest - lowest) * 100
    made = tuple(
        _bar(number, each, value, (zero, value / (highest - lowest) * 100))
        for number, (each, value) in enumerate(zip(days, shown, strict=True))
    )
    best = max(zip(shown, days, strict=True))
    total = sum(shown, Decimal(0))
    summary = (
        f"{title}, {day(days[0])} to {day(days[-1])}: {total:,.0f} {unit} in all; "
        f"the most on {day(best[1])}, {best[0]:,.0f}."
    )
    return Bars(title, summary, f"{highest:,.0f}", _short(zero), day(days[0]), day(days[-1]), made)


def _bar(number: int, of: date, value: Decimal, scaled: tuple[Decimal, Decimal]) -> Bar:
    """``scaled``: where the line of zero is, from above, and how far the bar goes up from there."""
    zero, rise = scaled
    height = max(abs(rise), _LEAST) if value else Decimal(0)
    share = Decimal(100) / SPAN
    return Bar(
        x=_short(share * number + share * _GAP / 2),
        y=_short(zero if value < 0 else zero - height),
        width=_short(share * (1 - _GAP)),
        height=_short(height),
        is_below=value < 0,
        day=day(of),
        value=f"{value:,.0f}",
    )


def strip(title: str, arrivals: Mapping[date, str], last: date) -> Strip:
    """The days of one dataset."""
    days = days_until(last)
    kinds = [arrivals.get(each, "rest" if each.weekday() > 4 else "none") for each in days]
    came = [each for each in days if each in arrivals]
    latest = day(came[-1]) if came else "none lately"
    summary = f"{title}: files on {len(came)} of the last {counted(len(days), 'day')}"
    summary += f", the last on {latest}" if came else ""
    for kind, words in (("refused", "with a file that was refused"), ("waiting", "with a file that waits")):
        if count := kinds.count(kind):
            summary += f"; {counted(count, 'day')} {words}"
    cells = tuple(Cell(number * _CELL, kind) for number, kind in enumerate(kinds))
    return Strip(title, summary + ".", latest, len(days) * _CELL, cells)


def strips(
    arrivals: Mapping[str, Mapping[date, str]], titles: Sequence[tuple[str, str]], last: date
) -> tuple[Strip, ...]:
    """A strip for each dataset (full name, title) that came within the days."""
    first = days_until(last)[0]
    shown = [(name, title) for name, title in titles if any(each >= first for each in arrivals.get(name, ()))]
    return tuple(strip(title, arrivals[name], last) for name, title in shown)


def _short(value: Decimal) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
