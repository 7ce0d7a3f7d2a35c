"""What a report says of itself, above its header and below its last row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from qbwatch.core.period import Period

__all__ = ["Basis", "Period", "ReportFacts"]


class Basis(StrEnum):
    """How a report counts: when it is billed, or when it is paid."""

    ACCRUAL = "accrual"
    CASH = "cash"


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Facts of one report. ``period`` is None where none is printed; ``is_all_dates`` when it says so in words.

    ``until`` is the day that "As of …" states: a position's own day, and of any other report the last that its rows may
    have. ``printed_at`` is the moment in the footer, with the offset that it states, or without one. ``unread`` are
    lines above the header that are neither title nor company nor anything else that is known.
    """

    title: str | None = None
    company: str | None = None
    period: Period | None = None
    is_all_dates: bool = False
    basis: Basis | None = None
    printed_at: datetime | None = None
    until: date | None = None
    unread: tuple[str, ...] = ()
