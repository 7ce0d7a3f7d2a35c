"""What is known of a report before its rows are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from qbwatch.formats.facts import ReportFacts
from qbwatch.formats.report_layout import ReportLayout
from qbwatch.formats.report_outline import Outline


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
    def is_complete(self) -> bool:
        """False when it breaks off in the middle of a section or a transaction."""
        return self.outline is None or self.outline.is_complete

    def added(self, section: str | None, name: str | None) -> tuple[str, ...]:
        """The texts of the columns that no cell has, in the order of `report_layout.ADDED`."""
        basis = self.facts.basis.value if self.facts.basis else ""
        day = self.day.isoformat() if self.day else ""
        return (section or "", self.title or "", basis, day, name or "")
