"""On which days does the firm not work?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from qbwatch.core.freshness import IsClosed
from qbwatch.core.model import QbwatchError


class UnknownCalendar(QbwatchError):
    """A country or state whose public holidays are not known: a fault of the configuration."""

    is_configuration = True


def closed_days(country: str, firm: Collection[date]) -> IsClosed:
    """Public holidays of a country (ISO code, or with a state: ``US-NJ``) and the firm's own closed days.

    Raises `UnknownCalendar`.
    """
    import holidays  # knows every country's law; loaded only where a calendar is asked for

    nation, _, state = country.partition("-")
    try:
        public = holidays.country_holidays(nation, subdiv=state or None)
    except NotImplementedError:
        hint = 'set [freshness] country to a country\'s ISO code, as in "US", or to that and a state: "US-NJ"'
        raise UnknownCalendar(f"freshness.country: no public holidays are known for {country!r}", hint) from None
    own = frozenset(firm)

    def is_closed(day: date) -> bool:
        return day in own or day in public

    return is_closed
