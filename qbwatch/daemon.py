"""The daemon: build the parts, start the loops, watch over them, stop.

Thread ``main`` handles signals, pings the service manager while every loop beats, and ends the process when a loop
dies, so that systemd starts it afresh; it never blocks on anything outside. The loops (``intake``, ``pipeline``,
``control``) share one event that says stop, and every wait of theirs has a time-out.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from qbwatch import __version__, assembly
from qbwatch.answering import answer
from qbwatch.config import Config
from qbwatch.core.filename import escaped
from qbwatch.core.model import DaemonState, Mode, QbwatchError
from qbwatch.core.status import DaemonFacts, Json, Problem, Severity
from qbwatch.database import database_url, embedded_of
from qbwatch.edges.control import ControlServer, Peer
from qbwatch.edges.file_answers import standing_of
from qbwatch.edges.heartbeats import Heartbeats
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.edges.systemd import Notifier
from qbwatch.intake import Intake
from qbwatch.log import get_logger
from qbwatch.pipeline import Scope, Step
from qbwatch.run_json import outcome_json
from qbwatch.worker import Worker

log = get_logger(__name__)

_TICK = 0.5  # seconds between looks of the main thread
_STALE_AFTER = {
    "intake": timedelta(minutes=1),
    "pipeline": timedelta(minutes=10),  # one SQL statement of a large load may take minutes
}
_STOP_WITHIN = 20.0  # seconds that the loops get to end by themselves
_SETTLE_WITHIN = 60.0  # seconds that a run on request waits for files that are still settling
_REQUEST_WITHIN = 3600.0  # seconds that a run on request may take


@dataclass(slots=True)
class Daemon:
    """One running qbwatch."""

    config: Config
    notifier: Notifier
    started_at: datetime
    stop: threading.Event
    beats: Heartbeats
    intake: Intake | None = None
    worker: Worker | None = None
    parts: assembly.Parts | None = None
    control: ControlServer | None = None

    # what it answers

    def status(self, _params: Json, _peer: Peer) -> Json:
        """The answer to ``status``."""
        return answer(self.config, self.parts.engine if self.parts else None, self.facts(), answered_by="daemon")

    def once(self, params: Json, peer: Peer) -> Json:
        """One run now, after a scan; waits for its end."""
        force = Mode(params["force"]) if params.get("force") else None
        log.info("a run was asked for", uid=peer.uid, pid=peer.pid, force=params.get("force"))
        if self.worker is None or self.intake is None or self.parts is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        try:
            picked = [self.parts.admitter.pick(Path(file)) for file in params.get("files") or ()]
            if not picked:
                self._take_in(self.intake)
            scope = Scope(params.get("dataset"), frozenset(picked) if picked else None)
            outcome = self.worker.request(force, scope).result(_REQUEST_WITHIN)
            with self.parts.engine.connect() as connection, connection.begin():
                return outcome_json(outcome) | {"files": standing_of(connection, picked)}
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error

    def _take_in(self, intake: Intake) -> None:
        """Let everything that lies in the folders now settle, as far as that takes no longer than a minute."""
        asked_at = datetime.now(UTC)
        intake.rescan_soon()

        def is_taken_in() -> bool:
            scanned_at = intake.state().last_scan_at
            return scanned_at is not None and scanned_at >= asked_at and intake.is_quiet()

        _wait_until(lambda: is_taken_in() or self.stop.is_set(), _SETTLE_WITHIN)

    def retry(self, _params: Json, _peer: Peer) -> Json:
        """Items were released in the ledger: look at once."""
        if self.worker is not None:
            self.worker.wake()
        return {}

    def facts(self) -> DaemonFacts:
        """What the daemon knows of itself."""
        if self.intake is None or self.worker is None:
            return DaemonFacts(DaemonState.STARTING, os.getpid(), self.started_at)
        seen = self.intake.state()
        problems = [
            Problem(each.code, each.failure_class, Severity.ERROR, each.summary, each.hint, each.since, each.file)
            for each in seen.problems
        ]
        if (locked := self.worker.locked_out) is not None:
            problems.append(
                Problem(locked.code, locked.failure_class, Severity.ERROR, locked.reason, locked.hint, None, None)
            )
        return DaemonFacts(
            state=self._state(self.worker),
            pid=os.getpid(),
            started_at=self.started_at,
            watcher=seen.watcher.value,
            watch_alive=seen.watch_alive,
            events_missed=seen.events_missed,
            last_scan_at=seen.last_scan_at,
            settling=[(escaped(path), since) for _, path, since in seen.settling],
            ignored=seen.ignored,
            problems=problems,
        )

    def _state(self, worker: Worker) -> DaemonState:
        if self.stop.is_set():
            return DaemonState.STOPPING
        if worker.paused:
            return DaemonState.PAUSED
        return DaemonState.RUNNING if worker.busy else DaemonState.IDLE

    def changed(self, _step: Step | None = None) -> None:
        """Something that is shown has changed."""
        if self.control is not None:
            self.control.notify_changed()


def run_daemon(config: Config) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0 after a stop, 1 when a loop died."""
    daemon = Daemon(config, Notifier.take(), datetime.now(UTC), threading.Event(), Heartbeats())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop.set())
    server = ControlServer(config.control.socket, {"status": daemon.status, "once": daemon.once, "retry": daemon.retry})
    server.start()
    daemon.control = server
    try:
        return _serve(daemon)
    finally:
        daemon.notifier.stopping()
        server.stop()
        if config.database.is_embedded:
            embedded_of(config).stop()


def _serve(daemon: Daemon) -> int:
    url = _reach_database(daemon)
    if url is None:
        return 0
    loops = _start_loops(daemon, url)
    code = _supervise(daemon, loops)
    daemon.notifier.stopping()
    daemon.stop.set()
    if daemon.worker and daemon.intake:
        daemon.worker.wake()
        daemon.intake.wake()
    ends_at = time.monotonic() + _STOP_WITHIN
    for loop in loops:
        loop.join(max(ends_at - time.monotonic(), 0.1))
    late = [loop.name for loop in loops if loop.is_alive()]
    if late:
        log.error("loops did not stop in time; what they did is rolled back", loops=late)
        return 1
    log.info("stopped")
    return code


def _reach_database(daemon: Daemon) -> str | None:
    """Migrate the database, waiting for it to come up; None when asked to stop meanwhile."""
    told = False
    while not daemon.stop.is_set():
        try:
            url = database_url(daemon.config, start=True)
            assert url is not None
            migrate(url)
            return url
        except DatabaseUnavailable as error:
            if not error.failure.is_transient:
                raise
            if not told:
                log.warning("waiting for the database", reason=error.failure.reason)
                daemon.notifier.status(f"waiting for the database: {error.failure.reason}")
            told = True
            daemon.notifier.extend_timeout(timedelta(seconds=30))
            daemon.stop.wait(1.0)
    return None


def _start_loops(daemon: Daemon, url: str) -> list[threading.Thread]:
    parts = assembly.assemble(daemon.config, url, _stopper(daemon, "pipeline"), daemon.changed)
    with parts.engine.connect() as connection:
        assembly.recall(parts, connection)

    def recovered(_: Connection) -> None:
        assembly.end_leftovers(parts)

    def admitted() -> None:
        worker.wake()
        daemon.changed()

    intake = assembly.make_intake(parts, daemon.stop, lambda: daemon.beats.beat("intake"), admitted)
    worker = Worker(
        parts.engine,
        parts.pipeline,
        daemon.stop,
        is_quiet=intake.is_quiet,
        recovered=recovered,
        beat=lambda: daemon.beats.beat("pipeline"),
    )
    daemon.parts, daemon.intake, daemon.worker = parts, intake, worker
    loops = [
        threading.Thread(target=_guarded(intake.run), name="intake", daemon=True),
        threading.Thread(target=_guarded(worker.loop), name="pipeline", daemon=True),
    ]
    for loop in loops:
        daemon.beats.beat(loop.name)
        loop.start()
    return loops


def _guarded(loop: Callable[[], None]) -> Callable[[], None]:
    """A loop whose bug is logged; its thread then ends, which the supervisor sees."""

    def run() -> None:
        try:
            loop()
        except Exception:
            log.exception("a loop ended by a fault")

    return run


def _stopper(daemon: Daemon, name: str) -> Callable[[], bool]:
    """A question that long work asks again and again; asking it proves that the work is alive."""

    def should_stop() -> bool:
        daemon.beats.beat(name)
        return daemon.stop.is_set()

    return should_stop


def _supervise(daemon: Daemon, loops: list[threading.Thread]) -> int:
    """Ping while all loops live and beat. Returns when asked to stop, or with 1 as soon as a loop died."""
    interval = daemon.notifier.watchdog_interval()
    ready, next_ping = False, 0.0
    while not daemon.stop.wait(_TICK):
        dead = [loop.name for loop in loops if not loop.is_alive()]
        if dead:
            log.error("a loop died; ending so that the service manager starts afresh", loops=dead)
            return 1
        assert daemon.intake is not None
        if not ready and _is_watching(daemon.intake):
            ready = True
            daemon.notifier.ready()
            log.info("ready", version=__version__, folder=str(daemon.config.input.directory))
        daemon.notifier.status(_status_line(daemon))
        stale = daemon.beats.stale(time.monotonic(), _STALE_AFTER)
        if stale:
            log.error("a loop doesn't answer", loops=stale)
        elif interval is not None and time.monotonic() >= next_ping:
            daemon.notifier.watchdog()
            next_ping = time.monotonic() + interval.total_seconds()
    return 0


def _is_watching(intake: Intake) -> bool:
    """True once the watch is up and the first scan is done, or it is known (and said) why that can't be."""
    state = intake.state()
    return state.last_scan_at is not None or bool(state.problems)


def _status_line(daemon: Daemon) -> str:
    facts = daemon.facts()
    outage = daemon.worker.outage if daemon.worker else None
    if outage is not None:
        return f"database out of reach: {outage.reason}"
    return f"{facts.state.value}; {len(facts.settling)} settling"


def _wait_until(true: Callable[[], bool], seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while not true() and time.monotonic() < ends_at:
        time.sleep(0.05)
