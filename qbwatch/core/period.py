"""Which days does a report speak for?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a report covers, both ends included."""

    first: date
    last: date

    def holds(self, other: Period) -> bool:
        """Whether every day of the other is one of these."""
        return self.first <= other.first and other.last <= self.last

    def overlaps(self, other: Period) -> bool:
        """Whether they share a day."""
        return self.first <= other.last and other.first <= self.last

    def overlaps_in_part(self, other: Period) -> bool:
        """Whether they share a day, and each has days that the other lacks."""
        return self.overlaps(other) and not self.holds(other) and not other.holds(self)

    def __str__(self) -> str:
        if self == ALL_DATES:
            return "all dates"
        return f"{self.first} to {self.last}"


ALL_DATES = Period(date.min, date.max)
"""The period of a report that says "All Dates"."""
