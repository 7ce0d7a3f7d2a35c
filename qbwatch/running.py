"""A running qbwatch: its parts, and what it answers at the control socket."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from qbwatch.answering import answer, trouble_of
from qbwatch.assembly import Parts
from qbwatch.config import Config
from qbwatch.core.facts import DaemonFacts, Json, Problem, Severity
from qbwatch.core.filename import escaped
from qbwatch.core.intake_state import IntakeProblem
from qbwatch.core.model import DaemonState, Mode, QbwatchError
from qbwatch.core.trouble import Trouble
from qbwatch.data_tests import run_tests
from qbwatch.edges.control import ControlServer, Peer
from qbwatch.edges.file_answers import standing_of
from qbwatch.edges.heartbeats import Heartbeats
from qbwatch.edges.holidays_aside import closed_days_aside
from qbwatch.edges.pause_note import read_pause
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of, reach_of
from qbwatch.edges.session import Reach
from qbwatch.edges.shared_answer import SharedAnswer
from qbwatch.edges.systemd import Notifier
from qbwatch.errands import run_errand
from qbwatch.intake import Intake
from qbwatch.log import get_logger
from qbwatch.pipeline import Scope, Step
from qbwatch.publishing import Publisher
from qbwatch.requests import Request, asked_by
from qbwatch.retention import Retention
from qbwatch.run_json import outcome_json
from qbwatch.worker import Worker

log = get_logger(__name__)

_SETTLE_WITHIN = 60.0  # seconds that a run on request waits for files that are still settling
_KEPT_FOR = 300.0  # seconds that the last known status on disk may be old while nothing changes
_REQUEST_WITHIN = 3600.0  # seconds that a run on request may take


@dataclass(slots=True)
class Running:
    """One running qbwatch."""

    config: Config
    notifier: Notifier
    started_at: datetime
    stop: threading.Event
    beats: Heartbeats
    intake: Intake | None = None
    worker: Worker | None = None
    parts: Parts | None = None
    control: ControlServer | None = None
    publisher: Publisher | None = None
    retention: Retention | None = None
    misconfigured: Problem | None = None
    said_at: float = -math.inf
    _shared: SharedAnswer[Json] = field(init=False)

    def __post_init__(self) -> None:
        self._shared = SharedAnswer(self.said)

    @property
    def engine(self) -> Engine | None:
        """The database, once it was reached."""
        return self.parts.engine if self.parts else None

    @property
    def reach(self) -> Reach | None:
        """The way to the ledger, once it was reached."""
        return reach_of(self.engine) if self.engine else None

    # what it answers

    def status(self, _params: Json, _peer: Peer) -> Json:
        """The answer to ``status``, however many ask."""
        return self._shared.get()

    def said(self) -> Json:
        """The whole status, as the daemon gives it."""
        self.said_at = time.monotonic()
        return answer(self.config, self.reach, self.facts(), answered_by="daemon", calendar=closed_days_aside)

    def trouble(self) -> Trouble:
        """What is wrong now, asked for every few seconds.

        What `qbwatch status` shows while Postgres is down is kept up to date by the way: after each change, and now
        and then.
        """
        if time.monotonic() - self.said_at > _KEPT_FOR:
            self.said()
        return trouble_of(self.config, self.reach, self.facts(), closed_days_aside)

    def once(self, params: Json, peer: Peer) -> Json:
        """One run now, after a scan; waits for its end."""
        force = Mode(params["force"]) if params.get("force") else None
        log.info("a run was asked for", uid=peer.uid, pid=peer.pid, force=params.get("force"))
        if self.worker is None or self.intake is None or self.parts is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        try:
            picked = [self.parts.admitter.pick(Path(file)) for file in params.get("files") or ()]
            scope = Scope(params.get("dataset"), frozenset(picked) if picked else None, asked=True)
            request = Request(force, scope, asked_by(peer, "once", force or ""))
            self.worker.enqueue(request)
            try:
                if not picked:
                    self._take_in(self.intake)
            finally:
                request.ready.set()
            outcome = request.answer.result(_REQUEST_WITHIN)
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

    def revert(self, params: Json, peer: Peer) -> Json:
        """Take a file's effect back, between runs; dbt is owed then, and the next run builds it."""
        return self._have_done("revert", params, peer)

    def rebuild(self, params: Json, peer: Peer) -> Json:
        """Fold one dataset anew, between runs."""
        return self._have_done("rebuild", params, peer)

    def verify(self, params: Json, _peer: Peer) -> Json:
        """Compare one dataset with its fold, beside whatever is running: over a connection of its own."""
        _, parts = self._started()
        loader = replace(parts.pipeline.loader, should_stop=self.stop.is_set)
        try:
            with parts.engine.connect() as connection:
                return run_errand("verify", connection, loader, params, datetime.now(UTC))
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error

    def test(self, params: Json, peer: Peer) -> Json:
        """dbt's tests, between runs: they look at marts that no build is changing."""
        worker, parts = self._started()
        select = params.get("select") or []
        if not isinstance(select, list) or not all(isinstance(each, str) for each in select):
            raise QbwatchError("'select' is to be a list of words", "qbwatch test sends it")
        log.info("a test was asked for", select=select, uid=peer.uid, pid=peer.pid)
        should_stop = parts.pipeline.should_stop
        done = worker.have_done(
            lambda connection: run_tests(connection, parts.dbt, select, should_stop, lambda: datetime.now(UTC)),
            asked_by(peer, "test"),
        )
        answer: Json = done.result(_REQUEST_WITHIN)
        return answer

    def _have_done(self, name: str, params: Json, peer: Peer) -> Json:
        log.info("an errand was asked for", errand=name, uid=peer.uid, pid=peer.pid)
        worker, parts = self._started()
        loader = parts.pipeline.loader
        done = worker.have_done(
            lambda connection: run_errand(name, connection, loader, params, datetime.now(UTC)), asked_by(peer, name)
        )
        answer: Json = done.result(_REQUEST_WITHIN)
        return answer

    def _started(self) -> tuple[Worker, Parts]:
        if self.worker is None or self.parts is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        return self.worker, self.parts

    def facts(self) -> DaemonFacts:
        """What the daemon knows of itself."""
        if self.intake is None or self.worker is None:
            return DaemonFacts(DaemonState.STARTING, os.getpid(), self.started_at)
        seen = self.intake.state()
        problems = [
            problem_of(each)
            for each in seen.problems
            if self.worker.outage is None or not each.code.startswith("database_")
        ]
        if (outage := self.worker.outage) is not None:
            since = self.worker.outage_since
            summary = f"the database can't be worked with: {outage.reason}"
            problems.append(Problem(outage.code, outage.failure_class, Severity.ERROR, summary, outage.hint, since))
        if (locked := self.worker.locked_out) is not None:
            problems.append(Problem(locked.code, locked.failure_class, Severity.ERROR, locked.reason, locked.hint))
        unwritable = self.publisher.problem() if self.publisher else None
        problems += [each for each in (unwritable, self.misconfigured) if each is not None]
        return DaemonFacts(
            state=self._state(self.worker),
            pid=os.getpid(),
            started_at=self.started_at,
            watcher=seen.watcher.value,
            polled_because=seen.polled_because,
            watch_alive=seen.watch_alive or (None if seen.last_scan_at is None else False),  # None: it is being set up
            events_missed=seen.events_missed,
            last_scan_at=seen.last_scan_at,
            settling=[(escaped(path), since) for _, path, since in seen.settling],
            sync_client=seen.sync_client,
            more_settling=seen.settling_count - len(seen.settling),
            ignored=seen.ignored,
            problems=problems,
            paused=read_pause(self.config.state.directory) if self.worker.steering.paused else None,
            requests=[asked.to_json() for asked in self.worker.requests.asked()],
            node=asdict(node) if self.parts and (node := self.parts.dbt.node_in_hand) else None,
        )

    def doing(self) -> DaemonState:
        """In which state the daemon is: the cheap part of `facts`, for asking several times a second."""
        return DaemonState.STARTING if self.worker is None else self._state(self.worker)

    def _state(self, worker: Worker) -> DaemonState:
        if self.stop.is_set():
            return DaemonState.STOPPING
        if worker.steering.paused and not worker.busy:
            return DaemonState.PAUSED
        return DaemonState.RUNNING if worker.busy else DaemonState.IDLE

    def changed(self, _step: Step | None = None) -> None:
        """Something that is shown has changed."""
        self.said_at = -math.inf
        if self.control is not None:
            self.control.notify_changed()
        if self.publisher is not None:
            self.publisher.wake()


def problem_of(seen: IntakeProblem) -> Problem:
    """What the intake met with, as a problem of the status."""
    severity = Severity.WARNING if seen.is_doubt else Severity.ERROR
    return Problem(seen.code, seen.failure_class, severity, seen.summary, seen.hint, seen.since, seen.file)


def _wait_until(true: Callable[[], bool], seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while not true() and time.monotonic() < ends_at:
        time.sleep(0.05)
