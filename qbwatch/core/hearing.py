"""Does the watch tell of the files that come?

On some file systems a watch is granted and stays mute: a change made on another machine never passes our kernel. The
type of the file system doesn't always say so, but what happens does: a routine scan that finds new files of which no
event told, again and again, has found a deaf watch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

_LATE_AFTER = timedelta(seconds=2)  # an event on its way through the queues isn't missing
_SCANS = 2  # one may be chance: a file made in the moment in which a new subfolder wasn't watched yet


@dataclass(slots=True)
class Hearing:
    """What was found by scans alone. ``is_deaf`` stays until ``forget``: the watch begins anew."""

    is_deaf: bool = False
    _silent: dict[bytes, datetime] = field(default_factory=dict)
    _missed_in: int = 0

    def found(self, path: bytes, at: datetime) -> None:
        """A routine scan came upon a new file that no event has mentioned so far."""
        self._silent.setdefault(path, at)

    def heard(self, path: bytes) -> None:
        """An event mentioned the path."""
        self._silent.pop(path, None)

    def excuse(self) -> None:
        """Events are known to be lost (an overflow): what is silent now proves nothing."""
        self._silent.clear()

    def forget(self) -> None:
        """Another watch, or another folder."""
        self.is_deaf, self._missed_in = False, 0
        self._silent.clear()

    def judge(self, at: datetime) -> bool:
        """True in the moment in which the watch turns out to be deaf."""
        late = [path for path, found_at in self._silent.items() if at - found_at >= _LATE_AFTER]
        if not late:
            return False
        self._silent.clear()
        self._missed_in += 1
        was_deaf, self.is_deaf = self.is_deaf, self._missed_in >= _SCANS
        return self.is_deaf and not was_deaf
