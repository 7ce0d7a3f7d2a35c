"""What the page shows beyond the status: single files and days, as the ledger and the marts know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """A part of a file that waits for a person. ``reason`` may quote cells: it is read for places, and never shown."""

    name: str
    sheet: str | None
    dataset: str | None
    code: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """A part that came lately, and what became of it. ``rows`` were read (None: it wasn't loaded)."""

    name: str
    dataset: str | None
    state: str
    at: datetime
    rows: int | None


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold on one day, by the dates of the documents."""

    day: date
    amount: Decimal
    orders: int


@dataclass(frozen=True, slots=True)
class PageFacts:
    """``refused``: the newest of ``refused_count``; a sequence of sales is oldest first, None where none is known.

    ``rows``: rows that were new, changed or gone, by the office's day of their load. ``arrivals``: by dataset and
    office's day, what became of its files: ``refused`` if one was, else ``waiting``, ``loaded`` or ``skipped``.
    """

    refused: tuple[RefusedPart, ...] = ()
    refused_count: int = 0
    recent: tuple[Arrived, ...] = ()
    rows: Mapping[date, int] = field(default_factory=dict)
    arrivals: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    sales: tuple[Sales, ...] | None = None
