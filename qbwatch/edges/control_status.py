"""The stream of the status: asks for it when something changed or time has passed, and passes on what is new."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from qbwatch.log import get_logger

_LOOK_EVERY = 1.0  # seconds; some changes nobody reports, as time's own: a file that settles, an age that grows
_REPEAT_AFTER = 10.0  # seconds; an unchanged status is sent again, as a sign of life
_SHORTEST_PAUSE = 0.1  # seconds between two; a burst of changes becomes a few messages

_log = get_logger(__name__)


class StatusFeed:
    """A thread that calls ``ask_status`` while somebody listens, and ``publish`` with each status that is news."""

    def __init__(self, ask_status: Callable[[], object], publish: Callable[[object], None]) -> None:
        self._has_listeners = False
        self._ask_status, self._publish = ask_status, publish
        self._asked = threading.Event()
        self._has_newcomer = threading.Event()
        self._stopping = threading.Event()
        self._is_failing = False
        self._last: object = None
        self._sent_at = 0.0
        self._thread = threading.Thread(target=self._run, name="control-status", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Don't publish any more. A status that is being computed is not waited for long."""
        self._stopping.set()
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def ask(self) -> None:
        """Have a look now rather than at the next second."""
        if self._has_listeners:
            self._asked.set()

    def welcome(self) -> None:
        """There is a new listener, who wants the status although it is no news to the others."""
        self._has_listeners = True
        self._has_newcomer.set()
        self._asked.set()

    def count_listeners(self, count: int) -> None:
        """A listener has left; so many remain."""
        self._has_listeners = count > 0

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._asked.wait(_LOOK_EVERY if self._has_listeners else None)
            self._asked.clear()
            if self._has_listeners and not self._stopping.is_set():
                self._look()
                self._stopping.wait(_SHORTEST_PAUSE)

    def _look(self) -> None:
        now = time.monotonic()
        is_due = self._has_newcomer.is_set() or now - self._sent_at >= _REPEAT_AFTER
        self._has_newcomer.clear()  # before asking: whoever comes from here on sets it again
        try:
            status = self._ask_status()
            if not is_due and _substance(status) == self._last:
                return
            self._publish(status)
        except Exception:  # noqa: BLE001 (whatever it is, the stream goes on when it is over)
            if not self._is_failing:  # said once, not each second
                _log.exception("the status for the subscribers failed")
            self._is_failing, self._last = True, None  # so that the next one that succeeds is news
            return
        self._is_failing, self._last, self._sent_at = False, _substance(status), now


def _substance(status: object) -> object:
    """The status without the time at which it was asked for, which alone is no news."""
    if isinstance(status, Mapping):
        return {key: value for key, value in status.items() if key != "as_of"}
    return status
