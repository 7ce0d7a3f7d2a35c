"""A clock that only goes forward.

Waiting is measured with it, since the machine's clock may be set: backwards, and a file would wait for an hour;
forwards, and it would be taken as quiet while it is still being written.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """The time of day, aware, as it is written into the ledger; tests pass a clock of their own."""
    return datetime.now(UTC)


_TOLD_APART = timedelta(seconds=0.1)  # the two clocks are read one after the other, on a busy machine with a gap


class SteadyClock:
    """Aware datetimes by the monotonic clock: they start at the time of day, and don't follow its corrections."""

    def __init__(self) -> None:
        self._origin = datetime.now(UTC) - timedelta(seconds=time.monotonic())
        self._to_day = timedelta(0)

    def now(self) -> datetime:
        """The steady time, for comparing with other steady times."""
        return self._origin + timedelta(seconds=time.monotonic())

    def of_day(self, at: datetime) -> datetime:
        """The time of day (UTC) of a moment on this clock, by what the machine's clock says now; for people to read.

        The same moment gives the same answer as long as the machine's clock isn't set (by more than a tenth of a
        second), so that two answers can be compared.
        """
        to_day = datetime.now(UTC) - self.now()
        if abs(to_day - self._to_day) > _TOLD_APART:
            self._to_day = to_day
        return at + self._to_day
