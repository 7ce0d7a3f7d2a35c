"""Public holidays, asked in a process of its own: the package that knows every country's law takes 11 MB to ask, and
a daemon that asks once a decade need not carry them for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from datetime import date
from functools import lru_cache

from qbwatch.core.calendar import closed_days
from qbwatch.core.freshness import IsClosed

_CHILD = """
import json, sys, holidays
nation, _, state = sys.argv[1].partition("-")
years = range(int(sys.argv[2]), int(sys.argv[2]) + 10)
print(json.dumps([day.isoformat() for day in holidays.country_holidays(nation, subdiv=state or None, years=years)]))
"""
_WITHIN = 20  # seconds


def closed_days_aside(country: str, firm: Collection[date]) -> IsClosed:
    """The same answers as `closed_days`, with little memory; the first question of a decade takes a quarter second."""
    own = frozenset(firm)

    def is_closed(day: date) -> bool:
        return day in own or day in _holidays(country, day.year // 10 * 10)

    return is_closed


class _InProcess(frozenset[date]):
    """Stands in where no process could be started."""

    def __init__(self, country: str) -> None:
        self._is_closed = closed_days(country, ())

    def __new__(cls, _country: str) -> _InProcess:
        return super().__new__(cls)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self._is_closed(day)


@lru_cache(maxsize=32)
def _holidays(country: str, first_year: int) -> frozenset[date]:
    command = [sys.executable, "-P", "-c", _CHILD, country, str(first_year)]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_WITHIN)
        return frozenset(map(date.fromisoformat, json.loads(done.stdout)))
    except (OSError, subprocess.SubprocessError, ValueError):
        return _InProcess(country)
