"""What does reading a part amount to: how many rows of each fate, which sums, which rejects?

Loading and checking a file count with this same class, so that what `check` foretells is what a load does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact

from qbwatch.core.model import Reject, RowClass, Sums
from qbwatch.datasets import Kind
from qbwatch.formats.cells import is_damaged
from qbwatch.formats.layout import Layout
from qbwatch.formats.records import Reading, Record, Rejected, Structure

# Sums keep every digit; the default context would round them to 28.
_EXACT = Context(prec=1_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
_REJECTS_KEPT = 1000  # of one part; the counts are always complete


@dataclass(slots=True)
class Tally:
    """Counts of one reading of a part, row by row. ``accepted`` rows are those that are to be loaded.

    ``bad_documents`` are documents with an unreadable line, known from an earlier reading: all their lines are
    rejected, because half a document is worse than none. ``damaged`` is the line of the first cell in each column of
    text that a spreadsheet damaged; such cells are kept as they stand.
    """

    layout: Layout
    bad_documents: frozenset[str] = frozenset()
    read: int = 0
    structural: int = 0
    accepted: int = 0
    rejected: int = 0
    rejects: list[Reject] = field(default_factory=list)
    sums: Sums = field(default_factory=dict)
    row_classes: Counter[RowClass] = field(default_factory=Counter)
    bad_keys: set[str] = field(default_factory=set)
    has_keyless: bool = False
    damaged: dict[str, int] = field(default_factory=dict)
    _key_before: str | None = None
    _keyless_since: bool = False

    def __post_init__(self) -> None:
        self.sums = {name: Decimal(0) for _, name in self.layout.summed}

    def take(self, reading: Reading) -> Record | None:
        """Count a row; returns it when it is to be loaded."""
        self.read += 1
        self._note_neighbours(reading)
        if not isinstance(reading, Structure):
            self.row_classes[RowClass.DETAIL] += 1
        match reading:
            case Structure(_, row_class):
                self.structural += 1
                self.row_classes[row_class] += 1
            case Rejected(key, reject):
                self._reject(key, reject)
            case Record() if reading.key in self.bad_documents:
                self._reject(reading.key, Reject(reading.line, None, "", "another line of its document can't be read"))
            case Record():
                self._accept(reading)
                return reading
        return None

    def _note_neighbours(self, reading: Reading) -> None:
        """A row without a readable key between two lines of one document is a line of that document."""
        if isinstance(reading, Structure):
            return
        key = reading.key
        if key is None:
            self._keyless_since = True
            return
        if self._keyless_since and key == self._key_before:
            self.bad_keys.add(key)
        self._key_before, self._keyless_since = key, False

    def _accept(self, record: Record) -> None:
        self.accepted += 1
        for place, name in self.layout.summed:
            if (value := record.values[place]) is not None:
                self.sums[name] = _EXACT.add(self.sums[name], Decimal(value))
        for place, value in enumerate(record.values):
            if value and (value[0] == "#" or "E+" in value) and is_damaged(value):
                self.damaged.setdefault(self.layout.cells[place].column, record.line)

    def _reject(self, key: str | None, reject: Reject) -> None:
        self.rejected += 1
        if len(self.rejects) < _REJECTS_KEPT:
            self.rejects.append(reject)
        if key is None:
            self.has_keyless = True
        else:
            self.bad_keys.add(key)

    @property
    def has_half_documents(self) -> bool:
        """True when a second reading, with these ``bad_keys`` kept out, is needed."""
        return self.layout.dataset.kind is Kind.DOCUMENT and bool(self.bad_keys - self.bad_documents)


def read_whole_documents(layout: Layout, read: Callable[[Tally], None]) -> Tally:
    """Let ``read`` go through a part with a fresh tally, and once more when a document turns out to have a bad line."""
    tally = Tally(layout)
    read(tally)
    if tally.has_half_documents:
        tally = Tally(layout, frozenset(tally.bad_keys))
        read(tally)
    return tally
