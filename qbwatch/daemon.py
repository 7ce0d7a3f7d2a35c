"""The daemon: build the parts, start the loops, watch over them, stop.

Thread ``main`` handles signals, pings the service manager while every loop beats, and ends the process when a loop
dies, so that systemd starts it afresh; it never blocks on anything outside. The loops (``intake``, ``pipeline``,
``notify``, ``control``) share one event that says stop, and every wait of theirs has a time-out.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from qbwatch import assembly
from qbwatch.announcing import Announcer
from qbwatch.config import Config
from qbwatch.database import database_url, embedded_of
from qbwatch.edges.control import ControlServer
from qbwatch.edges.heartbeats import Heartbeats
from qbwatch.edges.holidays_aside import closed_days_aside
from qbwatch.edges.memory import share_heaps
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.edges.systemd import Notifier
from qbwatch.heartbeat import Heart
from qbwatch.ledger_requests import LedgerRequests
from qbwatch.log import get_logger
from qbwatch.reloading import Reloading, fit_parts, keep_page
from qbwatch.retention import Retention
from qbwatch.run_requests import RunRequests
from qbwatch.running import Running
from qbwatch.steering import Steering
from qbwatch.steering_requests import SteeringRequests
from qbwatch.supervision import guarded, supervise
from qbwatch.worker import Worker

log = get_logger(__name__)

_STOP_WITHIN = 20.0  # seconds that the loops get to end
_LAST_BEAT = 5.0  # seconds that a heartbeat under way gets
_GRACE = 1.0  # seconds until a statement that keeps the pipeline from ending is cancelled, and between tries


def run_daemon(config: Config) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0 after a stop, 1 when a loop died."""
    share_heaps()
    announcing = assembly.announcing_of(config)
    is_closed = closed_days_aside(config.freshness.country, ())
    is_closed(datetime.now(UTC).date())  # a country that isn't known is told before anything starts
    running = Running(config, Notifier.take(), datetime.now(UTC), threading.Event(), Heartbeats())
    heart = Heart(running.trouble)
    announcer = Announcer(
        announcing, running.trouble, lambda: running.engine, running.stop, lambda: running.beats.beat("notify")
    )
    reloading = Reloading(running, announcer, heart)
    _heed_signals(running, reloading)
    methods = {
        "status": running.status,
        **RunRequests(running).methods(),
        **SteeringRequests(running).methods(),
        **LedgerRequests(running).methods(),
        **reloading.methods(),
    }
    server = ControlServer(config.control.socket, methods)
    server.start()
    running.control = server
    keep_page(running)
    heart.begin(config)
    try:
        return _serve(running, _start_telling(running, announcer))
    finally:
        running.notifier.stopping()
        running.stop.set()
        heart.end(_LAST_BEAT)
        if running.publisher is not None:
            running.publisher.end()
        server.stop()
        if config.database.is_embedded:
            embedded_of(config).stop()


def _serve(running: Running, teller: threading.Thread) -> int:
    parts = _reach_database(running)
    if parts is None:
        return 0
    with closing(parts.dbt):
        return _watch_over(running, parts, teller)


def _watch_over(running: Running, parts: assembly.Parts, teller: threading.Thread) -> int:
    loops = [*_start_loops(running, parts), teller]
    code = supervise(running, loops)
    running.notifier.stopping()
    running.stop.set()
    if running.worker and running.intake:
        running.worker.wake()
        running.intake.wake()
    if running.publisher:
        running.publisher.leave()  # its last word goes out while the loops end
    if late := _end(running, loops):
        log.error("loops did not stop in time; what they did is rolled back", loops=late)
        return 1
    log.info("stopped")
    return code


def _heed_signals(running: Running, reloading: Reloading) -> None:
    """SIGTERM and SIGINT stop it. SIGHUP has the configuration read anew; of a terminal that went away it is a stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop.set())
    if sys.stderr.isatty():
        signal.signal(signal.SIGHUP, lambda *_: running.stop.set())
        return
    signal.signal(signal.SIGHUP, reloading.hang_up)
    threading.Thread(target=guarded(reloading.listen), name="reload", daemon=True).start()


def _start_telling(running: Running, announcer: Announcer) -> threading.Thread:
    """Start the loop that tells people; before the database is reached, because that may be what has to be told."""
    teller = threading.Thread(target=guarded(announcer.loop), name="notify", daemon=True)
    running.beats.beat(teller.name)
    teller.start()
    return teller


def _end(running: Running, loops: list[threading.Thread]) -> list[str]:
    """Wait for the loops to end, which they do by themselves unless a statement waits for long; gives the late ones.

    A cancelled load rolls back, and its item waits for the next start as if it had never been tried.
    """
    ends_at = time.monotonic() + _STOP_WITHIN
    while (late := [loop.name for loop in loops if loop.is_alive()]) and time.monotonic() < ends_at:
        for loop in loops:
            loop.join(_GRACE / len(loops))
        if running.worker is not None:
            running.worker.interrupt()
    return late


def _reach_database(running: Running) -> assembly.Parts | None:
    """The connected parts, once the database is there and migrated; None when asked to stop meanwhile.

    Raises `DatabaseUnavailable` when waiting can't help (a wrong password, say).
    """
    told = False
    while not running.stop.is_set():
        try:
            return _prepare(running)
        except DatabaseUnavailable as error:
            if not error.failure.is_transient:
                raise
            if not told:
                log.warning("waiting for the database", reason=error.failure.reason)
                running.notifier.status(f"waiting for the database: {error.failure.reason}")
            told = True
            running.notifier.extend_timeout(timedelta(seconds=30))
            running.stop.wait(1.0)
    return None


def _prepare(running: Running) -> assembly.Parts:
    url = database_url(running.config, start=True)
    assert url is not None
    migrate(url, running.config.database.raw_schema)
    parts = assembly.assemble(running.config, url, _stopper(running, "pipeline"), running.changed)
    try:
        with parts.engine.connect() as connection:
            assembly.recall(parts, connection)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(failure_of(error)) from error
    return parts


def _start_loops(running: Running, parts: assembly.Parts) -> list[threading.Thread]:
    def recovered(connection: Connection) -> None:
        assembly.end_leftovers(parts)
        assembly.owe_changed_project(parts, connection)

    def admitted() -> None:
        worker.wake()
        running.changed()

    intake = assembly.make_intake(parts, running.stop, lambda: running.beats.beat("intake"), admitted)
    steering, retention = Steering(), Retention(parts.vault, running.config.state.retention)
    worker = Worker(
        parts.engine,
        replace(parts.pipeline, ends_after_step=steering.ends_after_step),
        running.stop,
        is_quiet=intake.is_quiet,
        recovered=recovered,
        tend=retention.tend,
        beat=lambda: running.beats.beat("pipeline"),
        steering=steering,
    )
    SteeringRequests(running).recall(worker)
    running.parts, running.intake, running.worker, running.retention = parts, intake, worker, retention
    fit_parts(running)  # the configuration may have been read anew while the database was waited for
    loops = [
        threading.Thread(target=guarded(intake.run), name="intake", daemon=True),
        threading.Thread(target=guarded(worker.loop), name="pipeline", daemon=True),
    ]
    watch = partial(parts.sessions.watch, running.stop)
    threading.Thread(target=guarded(watch), name="silent-sessions", daemon=True).start()
    for loop in loops:
        running.beats.beat(loop.name)
        loop.start()
    return loops


def _stopper(running: Running, name: str) -> Callable[[], bool]:
    """A question that long work asks again and again; asking it proves that the work is alive."""

    def should_stop() -> bool:
        running.beats.beat(name)
        return running.stop.is_set() or (running.worker is not None and running.worker.steering.is_cancelled())

    return should_stop
