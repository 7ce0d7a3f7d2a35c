"""The pipeline's thread: hold the lock, wait for work, run it, and outlive every fault of the database.

All loading goes over one connection, which also holds the one-instance lock: when it drops, nothing is written until
both are there again, and what was in flight has rolled back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine

from qbwatch.core.model import Failure, FailureClass, Mode
from qbwatch.core.plan import Plan
from qbwatch.edges import runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.postgres import (
    DATABASE_ERRORS,
    Session,
    cancel,
    die_with_us,
    driver,
    end_session,
    failure_of,
    lock_holder,
    session_of,
    try_lock,
)
from qbwatch.log import get_logger
from qbwatch.pipeline import EVERYTHING, Pipeline, RunOutcome, Scope
from qbwatch.requests import Asked, Errand, Request, Requests
from qbwatch.steering import Steering

log = get_logger(__name__)

_IDLE_LOOK = 5.0  # seconds between looks at the work table when nothing wakes us
_UNQUIET_LOOK = 0.05  # seconds between looks while files are still settling
_LULL = 0.1  # seconds without a new file after which a burst is over
_BATCH_PATIENCE = 15.0  # seconds that work which could start waits for files that are still settling
_FIRST_OUTAGE_PAUSE = 0.5  # seconds; a restarted Postgres is back within one or two
_LONGEST_OUTAGE_PAUSE = 15.0  # seconds between tries to reach a lost database


@dataclass(slots=True)
class Worker:
    """The loop. ``is_quiet`` says that no file is settling; ``recovered`` runs once the lock is first held,
    ``tend`` whenever there is nothing to do.

    ``outage`` says why the database can't be worked with, ``locked_out`` that another qbwatch holds the lock.
    """

    engine: Engine
    pipeline: Pipeline
    stop: threading.Event
    is_quiet: Callable[[], bool]
    recovered: Callable[[Connection], None] = lambda _: None
    tend: Callable[[Connection, datetime], None] = lambda _, __: None
    beat: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = utc_now
    outage: Failure | None = None
    outage_since: datetime | None = None
    locked_out: Failure | None = None
    steering: Steering = field(default_factory=Steering)
    requests: Requests = field(default_factory=Requests)
    _wake: threading.Event = field(default_factory=threading.Event)
    _session: psycopg.Connection[Any] | None = None
    _former: Session | None = None
    _first_lock: bool = True
    _woken_at: float = 0.0
    _held_back_since: float | None = None

    def wake(self) -> None:
        """There may be something to do: a file came, or a person asked."""
        self._woken_at = time.monotonic()
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether a run or an errand is under way."""
        return self.steering.busy

    def interrupt(self) -> None:
        """Once ``stop`` is set: cancel the statement that the loop waits for, so that it sees the stop."""
        if self._session is not None:
            cancel(self._session)

    def request(
        self, force: Mode | None = None, scope: Scope = EVERYTHING, asked: Asked | None = None
    ) -> Future[RunOutcome | None]:
        """Ask for one run now, in turn; what waits for a later try is due too. Fails with `QbwatchError`."""
        request = Request(force, replace(scope, asked=True), asked)
        request.ready.set()
        self.enqueue(request)
        return request.answer

    def have_done(self, work: Callable[[Connection], Any], asked: Asked | None = None) -> Future[Any]:
        """Have something done over the pipeline's connection, in turn, also while paused. Fails with `QbwatchError`."""
        errand = Errand(work, asked)
        self.enqueue(errand)
        return errand.answer

    def enqueue(self, request: Request | Errand) -> None:
        """Have it done in turn."""
        self.requests.put(request)
        self.wake()

    def loop(self) -> None:
        """Run until asked to stop; returns when stopped. Any error that is no database fault ends the thread."""
        outages = 0
        try:
            while not self.stop.is_set():
                try:
                    with self.engine.connect() as connection:
                        self._session = driver(connection)
                        self._hold_lock(connection)
                        outages = 0
                        self._work(connection)
                except DATABASE_ERRORS as error:
                    outages += 1
                    self._note_outage(failure_of(error))
                    self._pause(min(_FIRST_OUTAGE_PAUSE * 2 ** min(outages - 1, 10), _LONGEST_OUTAGE_PAUSE))
        finally:
            self.requests.close()

    def _hold_lock(self, connection: Connection) -> None:
        """Take the one-instance lock, waiting for it if need be; then clean up after whoever held it before."""
        die_with_us(connection)
        self._end_former_session(connection)
        while not try_lock(connection):
            self._note_locked_out(lock_holder(connection))
            self._pause(1.0)
            if self.stop.is_set():
                return
        self.locked_out = None
        at = self.now()
        with connection.begin():
            orphans = store.recover(connection, at, count_crash=self._first_lock)
            runs.abandon_runs(connection, at)
        if orphans:
            log.warning("work that was interrupted goes back into the queue", items=orphans)
        if self._first_lock:
            self.recovered(connection)
        self._first_lock = False
        if self.outage is not None:
            log.info("the database is back")
        self.outage = None

    def _end_former_session(self, connection: Connection) -> None:
        """It may still hold the lock, when only we know that its connection is gone."""
        if self._former is not None and end_session(connection, self._former):
            log.warning("the session that was lost is ended", backend=self._former.backend_pid)
        self._former = session_of(connection)

    def _work(self, connection: Connection) -> None:
        while not self.stop.is_set():
            self.beat()
            request = self.requests.take()
            if isinstance(request, Errand):
                self._run_errand(connection, request)
            elif request is not None:
                self._serve(connection, request)
            elif self.steering.paused:
                self._pause(_IDLE_LOOK)
            else:
                self._work_by_itself(connection)

    def _work_by_itself(self, connection: Connection) -> None:
        plan = self.pipeline.plan(connection)
        if plan is None:
            self._held_back_since = None
            self.tend(connection, self.now())
            self._pause(_IDLE_LOOK)
        elif not self._may_start():
            self._pause(_UNQUIET_LOOK)
        elif self.steering.begin(by_itself=True):
            self._run(connection, plan)

    def _may_start(self) -> bool:
        """A burst of files is one run: nothing settles any more, and the last file came a moment ago."""
        now = time.monotonic()
        if self._held_back_since is None:
            self._held_back_since = now
        is_over = self.is_quiet() and now - self._woken_at > _LULL
        return is_over or now - self._held_back_since > _BATCH_PATIENCE

    def _run(self, connection: Connection, plan: Plan) -> RunOutcome:
        self._held_back_since = None
        try:
            return self.pipeline.run(connection, plan)
        finally:
            self.steering.end()

    def _serve(self, connection: Connection, request: Request) -> None:
        while not request.ready.wait(_UNQUIET_LOOK) and not self.stop.is_set():
            self.beat()
        with request.answered():
            self.steering.begin(by_itself=False)
            try:
                plan = self.pipeline.plan(connection, request.force, request.scope)
                request.answer.set_result(None if plan is None else self._run(connection, plan))
            finally:
                self.steering.end()

    def _run_errand(self, connection: Connection, errand: Errand) -> None:
        self.steering.begin(by_itself=False)
        try:
            errand.do(connection)
        finally:
            self.steering.end()

    def _note_outage(self, failure: Failure) -> None:
        """Who asked for a run gets an answer now; the work itself waits for the database."""
        if self.outage is None:
            log.error("the database is out of reach; trying again", reason=failure.reason, code=failure.code)
            self.outage_since = self.now()
        self.outage = failure
        self.requests.refuse(f"the database is out of reach: {failure.reason}", failure.hint)

    def _note_locked_out(self, holder: int | None) -> None:
        reason = f"another qbwatch works on this database (backend {holder}); nothing is loaded here meanwhile"
        if self.locked_out is None:
            log.warning("another qbwatch works on this database; waiting", backend=holder)
        hint = "if it shouldn't run, stop it: `ps -C qbwatch`; else wait until it has finished"
        self.locked_out = Failure(FailureClass.INFRASTRUCTURE, "locked_out", reason, hint)

    def _pause(self, seconds: float) -> None:
        """Wait for a wake-up, or for ``seconds``, beating and looking for a stop at least once a second."""
        left = seconds
        while left > 0 and not self.stop.is_set():
            self.beat()
            if self._wake.wait(min(left, 1.0)):
                self._wake.clear()
                return
            left -= 1.0
