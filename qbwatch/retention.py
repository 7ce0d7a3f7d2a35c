"""What the vault needn't keep for ever: copies of content that no accepted or waiting item refers to.

A duplicate's bytes are those of the item it duplicates, so they stay with that. What a rebuild, a retry or a late file
folds is never touched. Runs in the pipeline's thread, when there is nothing to do, at most once a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from qbwatch.edges import recovery
from qbwatch.edges.disk_room import size_text
from qbwatch.edges.vault import Vault
from qbwatch.log import get_logger

log = get_logger(__name__)

_EVERY = 24 * 3600.0  # seconds
_AT_FIRST = 600.0  # seconds after the start


@dataclass(slots=True)
class Retention:
    """Clears the vault of what wasn't needed for ``keep_for`` (None: for ever). ``steady`` counts seconds."""

    vault: Vault
    keep_for: timedelta | None
    steady: Callable[[], float] = time.monotonic
    _due_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._due_at = self.steady() + _AT_FIRST

    def tend(self, connection: Connection, at: datetime) -> None:
        """Clear the vault, if it is time for that."""
        if self.steady() >= self._due_at:
            self._due_at = self.steady() + _EVERY
            self.clear(connection, at)

    def clear(self, connection: Connection, at: datetime) -> int:
        """Clear the vault; how many copies went. ``at`` is the time of day."""
        if self.keep_for is None:
            return 0
        with connection.begin():
            needed = recovery.needed_content(connection, at - self.keep_for)
        idle = [kept for kept in self.vault.hashes() if kept not in needed]
        freed = [size for kept in idle if (size := self.vault.drop(kept, self.keep_for.total_seconds()))]
        if freed:
            log.info("copies that nothing refers to left the vault", copies=len(freed), freed=size_text(sum(freed)))
        return len(freed)
