"""The last lines of the log in memory, for whoever asks the process itself: a terminal interface has no journal."""

from __future__ import annotations

import threading
from collections import deque

_LINES = 2000
_LONGEST = 2000  # characters of a line that are kept: together at most some MB

_lock = threading.Lock()
_kept: deque[str] = deque(maxlen=_LINES)
_count = 0  # lines so far; the number of the last one


def keep(line: str) -> None:
    """Keep one line, the oldest makes room for it."""
    global _count
    with _lock:
        _kept.append(line if len(line) <= _LONGEST else line[:_LONGEST] + " …")
        _count += 1


def recent(after: int = 0) -> tuple[int, list[str]]:
    """The number of the last line, and those after number ``after`` that are kept; all of them when it is of another
    life of the process (larger than the last number)."""
    with _lock:
        fresh = _count - after if 0 <= after <= _count else _count
        lines = list(_kept)
        return _count, lines[max(len(lines) - fresh, 0) :] if fresh else []
