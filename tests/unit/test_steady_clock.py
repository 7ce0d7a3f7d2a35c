"""The clock that waits go by, and what it says of the time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qbwatch.edges import clock
from qbwatch.edges.clock import SteadyClock


class SetDay(datetime):
    """A time of day that a test sets: the real one, and so much later."""

    later = timedelta(0)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + cls.later


def test_the_same_moment_has_the_same_time_of_day_however_often_one_asks() -> None:
    steady = SteadyClock()
    moment = steady.now()
    assert len({steady.of_day(moment) for _ in range(1000)}) == 1


@pytest.mark.parametrize("later", [timedelta(hours=1), -timedelta(hours=1), timedelta(seconds=1)])
def test_a_moment_is_told_by_what_the_machines_clock_says_since_it_was_set(
    monkeypatch: pytest.MonkeyPatch, later: timedelta
) -> None:
    steady = SteadyClock()
    moment = steady.now()
    before = steady.of_day(moment)
    monkeypatch.setattr(clock, "datetime", SetDay)
    monkeypatch.setattr(SetDay, "later", later)
    assert abs(steady.of_day(moment) - before - later) < timedelta(seconds=0.2)
    assert steady.now() - moment < timedelta(seconds=10)
