"""Which loops still turn. Each loop beats; whoever supervises them pings the service manager only while all are fresh.

A ping from a timer of its own would prove that the timer works.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta


class Heartbeats:
    """The last beat of each loop, in monotonic seconds. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._born_at = clock()
        self._beats: dict[str, float] = {}
        self._lock = threading.Lock()

    def beat(self, name: str) -> None:
        """This loop has come round."""
        with self._lock:
            self._beats[name] = self._clock()

    def stale(self, now: float, limits: Mapping[str, timedelta]) -> list[str]:
        """The loops whose last beat is older than their limit. One that never beat has its limit from our birth on."""
        with self._lock:
            beats = dict(self._beats)
        return [name for name, limit in limits.items() if now - beats.get(name, self._born_at) > limit.total_seconds()]
