"""Are all subfolders watched?

The kernel refuses a watch on a subfolder without a word. A folder that was made a moment ago may just not be watched
yet, so the first finding only asks for a new watch; what that misses too is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_BEGIN_ANEW_EVERY = timedelta(seconds=60)


@dataclass(slots=True)
class Coverage:
    """What the scans found. ``is_incomplete``: folders are without a watch, and a new one didn't help."""

    is_incomplete: bool = False
    _begin_anew_at: datetime | None = None  # None while nothing is suspected

    def clear(self) -> None:
        """Every folder is watched, as far as can be told."""
        self.is_incomplete, self._begin_anew_at = False, None

    def lacks_some(self, at: datetime) -> bool:
        """A scan found folders that aren't watched; True when the watch is to begin anew, to settle the question."""
        self.is_incomplete = self._begin_anew_at is not None
        if self._begin_anew_at is not None and at < self._begin_anew_at:
            return False
        self._begin_anew_at = at + _BEGIN_ANEW_EVERY
        return True
