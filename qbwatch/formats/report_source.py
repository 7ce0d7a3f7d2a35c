"""What is known of a report before its rows are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from qbwatch.core.period import Period
from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.report_layout import ReportLayout
from qbwatch.formats.report_outline import Outline

_SHOWN, _NAMED = 60, 3  # characters of a line, and lines


@dataclass(frozen=True, slots=True)
class Report:
    """``title`` is what its rows are marked with, ``day`` that of a report of position. A statement has no ``outline``:
    it consists of labels with figures. ``may_be_short``: its rows may lack cells at their end, as a workbook's do.
    """

    layout: ReportLayout
    outline: Outline | None
    facts: ReportFacts
    title: str | None
    day: date | None
    may_be_short: bool

    @property
    def days(self) -> Period | None:
        """Those that its rows may have, as far as it says so; None for a position, whose rows have no day."""
        if self.layout.day is None:
            return None
        if self.facts.period is None and self.facts.until is not None:
            return Period(date.min, self.facts.until)
        return self.facts.period

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of what stands above its header."""
        facts = self.facts
        if self.layout.dataset.day is None or facts.period or facts.is_all_dates or not facts.unread:
            return ()
        lines = ", ".join(repr(line[:_SHOWN]) for line in facts.unread[:_NAMED])
        return (f"it speaks for the days of its rows: no line above its header was read as a period ({lines})",)

    @property
    def is_complete(self) -> bool:
        """False when it breaks off in the middle of a section or a transaction."""
        return self.outline is None or self.outline.is_complete

    def added(self, section: str | None, name: str | None) -> tuple[str, ...]:
        """The texts of the columns that no cell has, in the order of `report_layout.ADDED`."""
        basis = self.facts.basis.value if self.facts.basis else ""
        day = self.day.isoformat() if self.day else ""
        return (section or "", self.title or "", basis, day, name or "")
