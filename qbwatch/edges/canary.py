"""Proof that a watch hears: something is done in a folder of our own, and word of it has to come back.

The canary's folder lies in the state folder and hangs on the same observer as the watched one, so its word takes the
same way: the kernel's queue, watchdog's reader, its emitter, its dispatcher, our handler. Opening a file for writing
and closing it is enough; nothing is written, and nothing at all happens in the input folder.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

SING_EVERY = timedelta(seconds=10)
ANSWER_WITHIN = timedelta(seconds=30)  # a burst keeps watchdog busy for seconds


class Canary:
    """One for each watch. ``heard`` is called from watchdog's thread, the rest from the watch's own."""

    def __init__(self, directory: Path, name: str) -> None:
        self.path = directory / name
        self._sung_at: datetime | None = None
        self._unanswered_since: datetime | None = None
        self._was_answered = False

    def settle_in(self) -> Path | None:
        """Make the folder and the file; the folder, or None when there can't be one (a full disk, say)."""
        self._sung_at = self._unanswered_since = None
        self._was_answered = False
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError:
            return None
        return self.path.parent

    @property
    def was_heard(self) -> bool:
        """True when any song since it settled in was answered."""
        return self._was_answered

    def heard(self) -> None:
        """Word came back."""
        self._was_answered, self._unanswered_since = True, None

    def sings(self, at: datetime) -> bool:
        """Sing when it is time to; False when an earlier song has had no answer for too long."""
        unanswered = self._unanswered_since
        if unanswered is not None:
            return at - unanswered < ANSWER_WITHIN
        if self._sung_at is None or at - self._sung_at >= SING_EVERY:
            self._sung_at = self._unanswered_since = at
            self._sing()
        return True

    def _sing(self) -> None:
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            self._unanswered_since = None  # the state folder's trouble, which shows elsewhere, is not the watch's
