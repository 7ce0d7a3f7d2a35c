"""The firm of the soak: years of business days, and what its exporter makes of each night.

Everything follows from the seed. The books are the demo's; what happens in them is everyday business without scenes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from qbwatch.demo.billing import pay, percent_of, to_cents, void, without_product
from qbwatch.demo.desk import open_desk
from qbwatch.demo.exports import Dataset, Export, ExportFile
from qbwatch.demo.firm import Document, DocumentKind, DocumentState
from qbwatch.demo.history import Scale, is_business_day, write_history
from qbwatch.demo.schedule import Exporter

_SCALE = Scale(customers=60, items=40, invoices=60, receipts=30)
_A_DAY = 3  # invoices, and as many receipts
_FULL_EVERY = 3  # months


class Firm:
    """Its books up to the evening of ``today``, and its exporter."""

    def __init__(self, seed: int, eve: date) -> None:
        self._desk = open_desk(Random(seed))
        self.exporter = Exporter(self._desk.books)
        write_history(self._desk, _SCALE, eve)
        self.today = eve

    def history(self) -> tuple[ExportFile, ...]:
        """Full exports of all that is known."""
        return self.exporter.full(self.today)

    def next_night(self) -> list[Export]:
        """A business day goes by; what the exporter sees in the night before the next one. Nobody has it yet."""
        day, before = self.next_day(), self.today
        self._do_business(before)
        self.today = day
        return [self.exporter.see(dataset, day, before) for dataset in Dataset]

    def is_end_of_quarter(self) -> bool:
        """Whether everything is exported once more tonight."""
        following = self.next_day()
        return following.month != self.today.month and self.today.month % _FULL_EVERY == 0

    def corrected(self, export: Export) -> Export:
        """The same export, written anew an hour after somebody corrected one of its documents."""
        documents = [each for each in export.records if isinstance(each, Document) and not each.is_void]
        if not documents:
            return export
        before = self._desk.rng.choice(documents)
        known = self._desk.books.documents[before.id]
        after = replace(known, memo=f"{known.memo} Corrected.".strip(), modified=self.today)
        self._desk.books.keep(after)
        return replace(export, records=tuple(after if each is before else each for each in export.records))

    def next_day(self) -> date:
        """The day before whose opening the next exports come."""
        day = self.today + timedelta(days=1)
        while not is_business_day(day):
            day += timedelta(days=1)
        return day

    def _do_business(self, day: date) -> None:
        desk, chance = self._desk, self._desk.rng.random
        if chance() < 0.3:
            desk.sell(DocumentKind.INVOICE, day, desk.welcome(day))
        for _ in range(_A_DAY):
            desk.sell(DocumentKind.INVOICE, day)
            desk.sell(DocumentKind.RECEIPT, day)
        owed = self._open_invoices()
        for document in owed[:_A_DAY]:
            share = Decimal(40) if chance() < 0.2 else Decimal(100)
            desk.books.keep(pay(document, percent_of(document.total, share), day))
        if chance() < 0.3 and len(owed[-1].order.products) > 1:
            desk.books.keep(without_product(owed[-1], 0, day))
        elif chance() < 0.1:
            desk.books.keep(void(owed[-1], day))
        self._change_items(day)

    def _open_invoices(self) -> list[Document]:
        invoices = self._desk.books.of_kind(DocumentKind.INVOICE)
        return [invoice for invoice in invoices if invoice.state is DocumentState.OPEN]

    def _change_items(self, day: date) -> None:
        """A price goes up now and then, and the stock of some items changes."""
        for position, item in enumerate(self._desk.rng.sample(self._desk.products(), 4)):
            factor = Decimal("1.02") if position == 0 else Decimal(1)
            price = to_cents((item.price or Decimal(0)) * factor)
            on_hand = self._desk.rng.randrange(400)
            self._desk.books.keep(replace(item, price=price, on_hand=on_hand, modified=day))
