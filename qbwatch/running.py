"""A running qbwatch: its parts, and what it knows and says of itself."""

from __future__ import annotations

import math
import os
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from qbwatch.answering import answer, trouble_of
from qbwatch.assembly import Parts
from qbwatch.config import Config
from qbwatch.core.facts import DaemonFacts, Json, Problem, Severity
from qbwatch.core.filename import escaped
from qbwatch.core.intake_state import IntakeProblem
from qbwatch.core.model import DaemonState
from qbwatch.core.trouble import Trouble
from qbwatch.edges.control import ControlServer, Peer
from qbwatch.edges.heartbeats import Heartbeats
from qbwatch.edges.holidays_aside import closed_days_aside
from qbwatch.edges.pause_note import read_pause
from qbwatch.edges.postgres import reach_of
from qbwatch.edges.session import Reach
from qbwatch.edges.shared_answer import SharedAnswer
from qbwatch.edges.systemd import Notifier
from qbwatch.intake import Intake
from qbwatch.log import get_logger
from qbwatch.pipeline import Step
from qbwatch.publishing import Publisher
from qbwatch.retention import Retention
from qbwatch.worker import Worker

log = get_logger(__name__)

_KEPT_FOR = 300.0  # seconds that the last known status on disk may be old while nothing changes


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
