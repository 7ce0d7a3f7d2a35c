"""The exporter's timetable: full exports once, then every business night what changed in each dataset's window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta

from qbwatch.demo.books import Books
from qbwatch.demo.expected import Expected, expect
from qbwatch.demo.exports import PLAIN, WITH_BOM, Dataset, Export, ExportFile, Layout, records_of

AT: dict[Dataset, time] = {
    Dataset.CUSTOMERS: time(1, 0, 2),
    Dataset.ITEMS: time(1, 30, 2),
    Dataset.INVOICES: time(2, 0, 3),
    Dataset.RECEIPTS: time(3, 0, 2),
}
WINDOW: dict[Dataset, timedelta] = {
    Dataset.CUSTOMERS: timedelta(days=7),
    Dataset.ITEMS: timedelta(days=7),
    Dataset.INVOICES: timedelta(days=5),
}
"""How far back a window looks; sales receipts are exported since the last business day instead."""

_FULL_LAYOUTS: dict[Dataset, Layout] = dict.fromkeys(Dataset, PLAIN) | {Dataset.RECEIPTS: WITH_BOM}


@dataclass(slots=True)
class Exporter:
    """Exports from the books, and remembers what a reader has been given so far."""

    books: Books
    given: list[Export] = field(default_factory=list)

    def full(self, day: date) -> tuple[ExportFile, ...]:
        """Give the full export of everything, dated that day; the receipts' file begins with a byte order mark."""
        return tuple(
            self.give(Export(dataset, day, None, records_of(self.books, dataset), self.books.balances(), layout))
            for dataset, layout in _FULL_LAYOUTS.items()
        )

    def see(self, dataset: Dataset, day: date, last_business_day: date) -> Export:
        """What the nightly export of a dataset finds, in the usual layout; nobody has been given it yet."""
        window = WINDOW.get(dataset)
        since = last_business_day if window is None else day - window
        return Export(dataset, day, AT[dataset], records_of(self.books, dataset, since), self.books.balances())

    def night(self, day: date, last_business_day: date, layouts: Mapping[Dataset, Layout]) -> tuple[ExportFile, ...]:
        """Give the files of one night, in the order of the timetable, each in its layout of that night."""
        return tuple(
            self.give(replace(self.see(dataset, day, last_business_day), layout=layout))
            for dataset, layout in layouts.items()
        )

    def give(self, export: Export) -> ExportFile:
        """The export's file, counted among what a reader knows."""
        self.given.append(export)
        return export.write()

    def expected(self) -> Expected:
        """The truth as far as a reader can know it."""
        return expect(self.given)
