"""Is an empty folder plausible?

A folder that held many files and holds none is more likely gone or not mounted than emptied: its mount point remains
when the disk behind it doesn't. Nothing follows from the absence; the question is only put to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MANY = 20


@dataclass(slots=True)
class Census:
    """How many files a folder held when it last held any; at the start, how many the ledger knows of it."""

    before: int = 0
    emptied_at: datetime | None = None

    def count(self, files: int, at: datetime) -> None:
        """A scan found so many files."""
        if files:
            self.before, self.emptied_at = files, None
        elif self.before >= MANY and self.emptied_at is None:
            self.emptied_at = at
