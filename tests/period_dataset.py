"""A report's dataset for tests of the fold: three columns, and a period in the line above the header.

``Period,2025-04-01,2025-04-03`` prints one, ``Period,All Dates`` says that it lists everything, ``Period`` says
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from qbwatch.core.model import WorkItem
from qbwatch.datasets import ColumnType, Dataset, Kind, datasets
from qbwatch.edges.loader import Loader
from qbwatch.edges.migrate import migrate
from qbwatch.formats.facts import Period, ReportFacts
from qbwatch.formats.part import Part

DAYS = Dataset(
    source="quickbooks",
    name="test_days",
    title="Days of a test",
    kind=Kind.PERIOD,
    keys=(("test_day",),),
    signatures=(frozenset({"test_day", "test_section", "test_amount"}),),
    columns={"test_day": ColumnType.TEXT, "test_section": ColumnType.TEXT, "test_amount": ColumnType.MONEY},
    needs=(),
    stems=("Testdays",),
    ignored=frozenset(),
)


@contextmanager
def days_declared(url: str) -> Iterator[None]:
    """The dataset is known, and its raw table made, until the block ends."""
    datasets()[DAYS.full_name] = DAYS
    try:
        migrate(url)
        yield
    finally:
        del datasets()[DAYS.full_name]


class DaysLoader(Loader):
    """A loader that reads the period above the header."""

    def open(self, item: WorkItem) -> Part:
        part = Loader.open(self, item)
        if part.layout.dataset.name != DAYS.name:
            return part
        return replace(part, facts=_facts(next(iter(part.table.rows())).cells))


def _facts(cells: list[str]) -> ReportFacts:
    match cells[1:]:
        case ["All Dates", *_]:
            return ReportFacts(is_all_dates=True)
        case [first, last, *_] if first:
            return ReportFacts(period=Period(date.fromisoformat(first), date.fromisoformat(last)))
        case _:
            return ReportFacts()
