"""The pipeline's thread: hold the lock, wait for work, run it, and outlive every fault of the database.

All loading goes over one connection, which also holds the one-instance lock: when it drops, nothing is written until
both are there again, and what was in flight has rolled back.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from qbwatch.core.failure import pause_before
from qbwatch.core.model import Failure, Mode, QbwatchError
from qbwatch.core.plan import Plan
from qbwatch.edges import runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of, lock_holder, try_lock
from qbwatch.log import get_logger
from qbwatch.pipeline import EVERYTHING, Pipeline, RunOutcome, Scope

log = get_logger(__name__)

_IDLE_LOOK = 5.0  # seconds between looks at the work table when nothing wakes us
_UNQUIET_LOOK = 0.05  # seconds between looks while files are still settling
_LULL = 0.1  # seconds without a new file after which a burst is over
_BATCH_PATIENCE = timedelta(seconds=15)  # how long a settled file waits for others that are still settling
_LONGEST_OUTAGE_PAUSE = 15.0  # seconds between tries to reach a lost database


@dataclass(frozen=True, slots=True)
class Request:
    """A person's wish for one run now; the future gets its `RunOutcome`, or None when there was nothing to do."""

    force: Mode | None
    scope: Scope
    answer: Future[RunOutcome | None] = field(default_factory=Future)


@dataclass(slots=True)
class Worker:
    """The loop. ``is_quiet`` says that no file is settling; ``recovered`` runs once the lock is first held."""

    engine: Engine
    pipeline: Pipeline
    stop: threading.Event
    is_quiet: Callable[[], bool]
    recovered: Callable[[Connection], None] = lambda _: None
    beat: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = utc_now
    outage: Failure | None = None
    busy: bool = False
    paused: bool = False
    _requests: queue.SimpleQueue[Request] = field(default_factory=queue.SimpleQueue)
    _wake: threading.Event = field(default_factory=threading.Event)
    _first_lock: bool = True
    _woken_at: float = 0.0

    def wake(self) -> None:
        """There may be something to do: a file came, or a person asked."""
        self._woken_at = time.monotonic()
        self._wake.set()

    def request(self, force: Mode | None = None, scope: Scope = EVERYTHING) -> Future[RunOutcome | None]:
        """Ask for one run now, in turn."""
        request = Request(force, scope)
        self._requests.put(request)
        self.wake()
        return request.answer

    def loop(self) -> None:
        """Run until asked to stop; returns when stopped. Any error that is no database fault ends the thread."""
        outages = 0
        while not self.stop.is_set():
            try:
                with self.engine.connect() as connection:
                    self._hold_lock(connection)
                    outages = 0
                    self._work(connection)
            except DATABASE_ERRORS as error:
                outages += 1
                self._note_outage(failure_of(error))
                self._pause(min(pause_before(outages).total_seconds(), _LONGEST_OUTAGE_PAUSE))
        self._refuse_requests()

    def _hold_lock(self, connection: Connection) -> None:
        """Take the one-instance lock, waiting for it if need be; then clean up after whoever held it before."""
        told = False
        while not try_lock(connection):
            if not told:
                log.warning("another qbwatch works on this database; waiting", backend=lock_holder(connection))
                told = True
            self._pause(1.0)
            if self.stop.is_set():
                return
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

    def _work(self, connection: Connection) -> None:
        while not self.stop.is_set():
            self.beat()
            request = self._next_request()
            if request is not None:
                self._serve(connection, request)
            elif self.paused:
                self._pause(_IDLE_LOOK)
            else:
                self._work_by_itself(connection)

    def _work_by_itself(self, connection: Connection) -> None:
        plan = self.pipeline.plan(connection)
        if plan is None:
            self._pause(_IDLE_LOOK)
        elif not self._may_start(plan):
            self._pause(_UNQUIET_LOOK)
        else:
            self._run(connection, plan)

    def _may_start(self, plan: Plan) -> bool:
        """A burst of files is one run: nothing settles any more, and the last file came a moment ago."""
        if self.is_quiet() and time.monotonic() - self._woken_at > _LULL:
            return True
        return any(self.now() - item.first_seen_at > _BATCH_PATIENCE for item in plan.items)

    def _run(self, connection: Connection, plan: Plan) -> RunOutcome:
        self.busy = True
        try:
            return self.pipeline.run(connection, plan)
        finally:
            self.busy = False

    def _serve(self, connection: Connection, request: Request) -> None:
        try:
            plan = self.pipeline.plan(connection, request.force, request.scope, asked=True)
            request.answer.set_result(None if plan is None else self._run(connection, plan))
        except DATABASE_ERRORS as error:
            failure = failure_of(error)
            request.answer.set_exception(QbwatchError(f"the run was cut short: {failure.reason}", failure.hint))
            raise

    def _next_request(self) -> Request | None:
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return None

    def _refuse_requests(self) -> None:
        while (request := self._next_request()) is not None:
            request.answer.set_exception(QbwatchError("qbwatch is stopping", "start it again, then ask again"))

    def _note_outage(self, failure: Failure) -> None:
        if self.outage is None:
            log.error("the database is out of reach; trying again", reason=failure.reason, code=failure.code)
        self.outage = failure

    def _pause(self, seconds: float) -> None:
        """Wait for a wake-up, or for ``seconds``, beating and looking for a stop at least once a second."""
        left = seconds
        while left > 0 and not self.stop.is_set():
            self.beat()
            if self._wake.wait(min(left, 1.0)):
                self._wake.clear()
                return
            left -= 1.0
