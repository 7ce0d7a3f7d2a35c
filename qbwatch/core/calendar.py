"""On which days does the firm not work?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from qbwatch.core.freshness import IsClosed


def closed_days(country: str, firm: Collection[date]) -> IsClosed:
    """Public holidays of a country (ISO code, or with a state: ``US-NJ``) and the firm's own closed days."""
    import holidays  # knows every country's law; loaded only where a calendar is asked for

    nation, _, state = country.partition("-")
    public = holidays.country_holidays(nation, subdiv=state or None)
    own = frozenset(firm)

    def is_closed(day: date) -> bool:
        return day in own or day in public

    return is_closed
