"""Between the people who steer and the thread that works: pause after the current step, cancel what is under way.

Paused means that nothing is begun by itself; what a person asks for is still done, in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Condition


@dataclass(slots=True)
class Steering:
    """What was asked of the work that is under way, and of all that would come. For any thread."""

    paused: bool = False
    busy: bool = False
    _ends_after_step: bool = False
    _cancelled: bool = False
    _lock: Condition = field(default_factory=Condition)

    def begin(self, *, by_itself: bool) -> bool:
        """Work is about to begin; False when it mustn't, because a pause came meanwhile."""
        with self._lock:
            if by_itself and self.paused:
                return False
            self.busy, self._ends_after_step, self._cancelled = True, False, False
            return True

    def end(self) -> None:
        """The work is over."""
        with self._lock:
            self.busy, self._ends_after_step, self._cancelled = False, False, False
            self._lock.notify_all()

    def wait_end(self, seconds: float) -> None:
        """Wait until the work that is under way is over, or so many seconds."""
        with self._lock:
            self._lock.wait_for(lambda: not self.busy, seconds)

    def pause(self) -> None:
        """Begin nothing more by yourself; what is under way ends after its current step."""
        with self._lock:
            self.paused = True
            self._ends_after_step = self.busy

    def resume(self) -> None:
        """Go on."""
        with self._lock:
            self.paused = self._ends_after_step = False

    def cancel(self) -> bool:
        """End what is under way at once, and begin nothing more by yourself; False when nothing was under way."""
        with self._lock:
            if self.busy:
                self.paused = self._cancelled = True
            return self.busy

    def is_cancelled(self) -> bool:
        """Asked again and again within a step."""
        return self._cancelled

    def ends_after_step(self) -> bool:
        """Asked between steps."""
        return self._ends_after_step
