"""What people ask of the running daemon that is done by a run, or between two: once, revert, rebuild, verify, test.

Who asked is in the log; each waits for its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from qbwatch.assembly import Parts
from qbwatch.core.facts import Json
from qbwatch.core.model import Mode, QbwatchError
from qbwatch.data_tests import run_tests
from qbwatch.edges.control import Method, Peer
from qbwatch.edges.file_answers import standing_of
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.errands import run_errand
from qbwatch.intake import Intake
from qbwatch.log import get_logger
from qbwatch.pipeline import Scope
from qbwatch.requests import Request, asked_by
from qbwatch.run_json import outcome_json
from qbwatch.running import Running
from qbwatch.worker import Worker

log = get_logger(__name__)

_SETTLE_WITHIN = 60.0  # seconds that a run on request waits for files that are still settling
_REQUEST_WITHIN = 3600.0  # seconds that a run on request may take


@dataclass(frozen=True, slots=True)
class RunRequests:
    """The methods by which the work of a running qbwatch is asked for."""

    running: Running

    def methods(self) -> Mapping[str, Method]:
        """By the names of the commands."""
        return {
            "once": self.once,
            "revert": self.revert,
            "rebuild": self.rebuild,
            "verify": self.verify,
            "test": self.test,
        }

    def once(self, params: Json, peer: Peer) -> Json:
        """One run now, after a scan; waits for its end."""
        force = Mode(params["force"]) if params.get("force") else None
        log.info("a run was asked for", uid=peer.uid, pid=peer.pid, force=params.get("force"))
        if self.running.worker is None or self.running.intake is None or self.running.parts is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        try:
            picked = [self.running.parts.admitter.pick(Path(file)) for file in params.get("files") or ()]
            scope = Scope(params.get("dataset"), frozenset(picked) if picked else None, asked=True)
            request = Request(force, scope, asked_by(peer, "once", force or ""))
            self.running.worker.enqueue(request)
            try:
                if not picked:
                    self._take_in(self.running.intake)
            finally:
                request.ready.set()
            outcome = request.answer.result(_REQUEST_WITHIN)
            with self.running.parts.engine.connect() as connection, connection.begin():
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

        _wait_until(lambda: is_taken_in() or self.running.stop.is_set(), _SETTLE_WITHIN)

    def revert(self, params: Json, peer: Peer) -> Json:
        """Take a file's effect back, between runs; dbt is owed then, and the next run builds it."""
        return self._have_done("revert", params, peer)

    def rebuild(self, params: Json, peer: Peer) -> Json:
        """Fold one dataset anew, between runs."""
        return self._have_done("rebuild", params, peer)

    def verify(self, params: Json, _peer: Peer) -> Json:
        """Compare one dataset with its fold, beside whatever is running: over a connection of its own."""
        _, parts = self._started()
        loader = replace(parts.pipeline.loader, should_stop=self.running.stop.is_set)
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
        if self.running.worker is None or self.running.parts is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        return self.running.worker, self.running.parts


def _wait_until(true: Callable[[], bool], seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while not true() and time.monotonic() < ends_at:
        time.sleep(0.05)
