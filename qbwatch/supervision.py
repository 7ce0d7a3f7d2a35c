"""The main thread's watch over the loops: it never blocks on anything outside, pings the service manager only while
every loop beats, and ends the process when one died, so that systemd starts it afresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Thread

from qbwatch import __version__
from qbwatch.edges.memory import give_back
from qbwatch.intake import Intake
from qbwatch.log import get_logger
from qbwatch.running import Running

log = get_logger(__name__)

_TICK = 0.5  # seconds between looks
_STALE_AFTER = {
    "intake": timedelta(minutes=1),
    "pipeline": timedelta(minutes=10),  # one SQL statement of a large load may take minutes
    "notify": timedelta(minutes=10),
}


def guarded(loop: Callable[[], None]) -> Callable[[], None]:
    """A loop whose bug is logged; its thread then ends, which the supervisor sees."""

    def run() -> None:
        try:
            loop()
        except Exception:
            log.exception("a loop ended by a fault")

    return run


def supervise(running: Running, loops: Sequence[Thread]) -> int:
    """Ping while all loops live and beat. Returns when asked to stop, or with 1 as soon as a loop died."""
    interval = running.notifier.watchdog_interval()
    tick = min(_TICK, interval.total_seconds()) if interval else _TICK
    ready, next_ping, told, was_busy = False, 0.0, "", False
    while not running.stop.wait(tick):
        dead = [loop.name for loop in loops if not loop.is_alive()]
        if dead:
            log.error("a loop died; ending so that the service manager starts afresh", loops=dead)
            return 1
        assert running.intake is not None
        if not ready and _is_watching(running.intake):
            ready = True
            running.notifier.ready()
            give_back()
            log.info("ready", version=__version__, folder=str(running.config.input.directory))
        if (line := _status_line(running)) != told:
            running.notifier.status(line)
            told = line
        is_busy = running.worker is not None and running.worker.busy
        if was_busy and not is_busy:
            give_back()
        was_busy = is_busy
        stale = running.beats.stale(time.monotonic(), _STALE_AFTER)
        if stale:
            log.error("a loop doesn't answer", loops=stale)
        elif interval is not None and time.monotonic() >= next_ping:
            running.notifier.watchdog()
            next_ping = time.monotonic() + interval.total_seconds()
    return 0


def _is_watching(intake: Intake) -> bool:
    """True once the watch is up and the first scan is done, or it is known (and said) why that can't be."""
    state = intake.state()
    return state.last_scan_at is not None or bool(state.problems)


def _status_line(running: Running) -> str:
    outage = running.worker.outage if running.worker else None
    if outage is not None:
        return f"database out of reach: {outage.reason}"
    settling = running.intake.state().settling_count if running.intake else 0
    return f"{running.doing().value}; {settling} settling"
