"""The heartbeat: an address elsewhere is asked now and then, so that a machine that is dead is noticed too.

The form is that of healthchecks.io and its like: the address itself says that all is well, ``/start`` that the daemon
(or a run) has begun, ``/fail`` that something is wrong. The body holds the last good date; no names and no amounts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from qbwatch import __version__
from qbwatch.config import Config
from qbwatch.core.trouble import Trouble
from qbwatch.edges.ping import ping
from qbwatch.log import get_logger
from qbwatch.supervision import guarded

log = get_logger(__name__)

Ask = Callable[[], Trouble]
_NAME = f"qbwatch {__version__}"


class Signal(StrEnum):
    """What is said; the value is appended to the address."""

    START = "/start"
    SUCCESS = ""
    FAIL = "/fail"


def start_heartbeat(config: Config, trouble: Ask, stop: threading.Event) -> threading.Thread:
    """The thread ``heartbeat``, which ends at once where no address is configured."""
    url = config.alerts.heartbeat
    every = config.alerts.heartbeat_every

    def beat() -> None:
        if url is not None:
            _beat(url.get_secret_value(), trouble, every, stop)

    thread = threading.Thread(target=guarded(beat), name="heartbeat", daemon=True)
    thread.start()
    return thread


@dataclass(slots=True)
class Heart:
    """The daemon's heartbeat, which can be begun anew for another address."""

    trouble: Ask
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self, config: Config) -> None:
        """Beat as the configuration says, and no longer as it said before."""
        self._stop.set()
        self._stop = threading.Event()
        self._thread = start_heartbeat(config, self.trouble, self._stop)

    def end(self, within: float) -> None:
        """Stop; a beat that is under way gets so many seconds."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(within)


@contextmanager
def heartbeat_of_a_run(config: Config) -> Iterator[Callable[[Trouble], None]]:
    """Say that a run begins, in a thread of its own; gives a function that says how it ended."""
    url = config.alerts.heartbeat.get_secret_value() if config.alerts.heartbeat else None
    began = threading.Thread(target=lambda: url and _say(url, Signal.START, _NAME, False), daemon=True)
    began.start()

    def ended(trouble: Trouble) -> None:
        began.join()
        if url is not None:
            _say(url, _signal(trouble), words(trouble), False)

    try:
        yield ended
    finally:
        began.join()


def words(trouble: Trouble) -> str:
    """What stands in the body: the last good moment and day, and the codes of what is wrong."""
    good = trouble.last_success_at.isoformat(timespec="seconds") if trouble.last_success_at else "never"
    lines = [_NAME, f"last good run: {good}", f"data through: {trouble.through or 'unknown'}"]
    codes = sorted({each.code for each in trouble.problems})
    return "\n".join([*lines, f"wrong: {', '.join(codes) or 'nothing'}"])


def _beat(url: str, trouble: Ask, every: timedelta, stop: threading.Event) -> None:
    is_failing = not _say(url, Signal.START, _NAME, False, stop)
    while not stop.wait(every.total_seconds()):
        now = trouble()
        is_failing = not _say(url, _signal(now), words(now), is_failing, stop)


def _signal(trouble: Trouble) -> Signal:
    return Signal.FAIL if trouble.is_error else Signal.SUCCESS


def _say(url: str, signal: Signal, body: str, is_failing: bool, stop: threading.Event | None = None) -> bool:
    """Whether it was heard; that it isn't is logged once, not each time, and without the address."""
    failure = ping(url, signal.value, body, stop.is_set if stop else lambda: False)
    if failure is not None and not is_failing:
        log.warning("the heartbeat was not heard", reason=failure)
    return failure is None
