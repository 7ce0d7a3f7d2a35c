"""What people ask of the running daemon about the ledger: its lists and stories, and what they decide about files.

So whoever may speak to the socket needs no login to the database. Files are named by the ids of their work items, which
the lists give: a name may stand for several. Who decided what is in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from qbwatch.alert_test import test_services
from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.edges import decisions
from qbwatch.edges.control import Method
from qbwatch.edges.control_socket import Peer
from qbwatch.edges.incidents import acknowledge
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, failure_of
from qbwatch.ledger_questions import QUESTIONS, Asking, ask
from qbwatch.log import get_logger
from qbwatch.log_recent import recent
from qbwatch.requests import name_of
from qbwatch.running import Running
from qbwatch.worker import Worker

log = get_logger(__name__)

T = TypeVar("T")
Decision = Callable[[Connection, Sequence[int], datetime], int]


@dataclass(frozen=True, slots=True)
class LedgerRequests:
    """The methods by which the ledger is looked at and decided about."""

    running: Running

    def methods(self) -> Mapping[str, Method]:
        """Questions by their own names; decisions by the names of the commands."""
        return {
            **{name: partial(self._answer, name) for name in QUESTIONS},
            "log": self.log,
            "retry": self.retry,
            "skip": partial(self._decide, "skip", decisions.skip),
            "accept": partial(self._decide, "accept", decisions.accept),
            "ack": self.ack,
            "alerts-test": self.try_alerts,
            "take-out": self.take_out,
            "move": self.move,
        }

    def log(self, params: Json, _peer: Peer) -> Json:
        """The lines of the daemon's log after number ``after``, as far as they are still in memory."""
        after = params.get("after")
        number, lines = recent(after if isinstance(after, int) else 0)
        return {"last": number, "lines": lines}

    def retry(self, params: Json, peer: Peer) -> Json:
        """Release items; without any, those that a command has released already are looked at at once."""
        if "items" in params:
            return self._decide("retry", decisions.release, params, peer)
        if self.running.worker is not None:
            self.running.worker.wake()
        return {}

    def ack(self, params: Json, peer: Peer) -> Json:
        """A person knows of an incident."""
        incident = str(params.get("incident"))
        log.info("an incident is acknowledged", incident=incident, by=name_of(peer), uid=peer.uid)
        if not self._write(lambda connection: acknowledge(connection, incident, datetime.now(UTC))):
            raise QbwatchError(f"no open incident {incident!a}", "`qbwatch alerts list` shows their ids")
        self.running.changed()
        return {"acknowledged": incident}

    def try_alerts(self, _params: Json, peer: Peer) -> Json:
        """A test message through every service."""
        log.info("a test of the alerts was asked for", by=name_of(peer), uid=peer.uid)
        errors = test_services(self.running.config.alerts, lambda _name, _error: None)
        told = [{"service": name, "delivered": not error, "error": error} for name, error in errors.items()]
        return {"services": told}

    def take_out(self, params: Json, peer: Peer) -> Json:
        """Have a request that waits in the queue not done."""
        out = self._worker().requests.take_out(_number(params, "request"), name_of(peer))
        log.info("a request was taken out of the queue", request=out.what, of=out.by, by=name_of(peer), uid=peer.uid)
        self.running.changed()
        return out.to_json()

    def move(self, params: Json, peer: Peer) -> Json:
        """Have a request that waits in the queue done so many ``places`` later, or earlier."""
        moved = self._worker().requests.move(_number(params, "request"), _number(params, "places"))
        log.info("a request was moved in the queue", request=moved.what, of=moved.by, by=name_of(peer), uid=peer.uid)
        self.running.changed()
        return moved.to_json()

    def _answer(self, name: str, params: Json, _peer: Peer) -> Json:
        zone = self.running.config.quickbooks.timezone
        return self._write(lambda connection: ask(name, Asking(connection, params, datetime.now(UTC), zone)))

    def _decide(self, name: str, decision: Decision, params: Json, peer: Peer) -> Json:
        items = params.get("items")
        if not isinstance(items, list) or not all(isinstance(each, int) for each in items):
            raise QbwatchError("the request lacks a list of numbers 'items'", "qbwatch tui sends it")
        worker = self._worker()
        done = self._write(lambda connection: decision(connection, items, datetime.now(UTC)))
        log.info("a person decided", decision=name, items=items, of_them=done, by=name_of(peer), uid=peer.uid)
        if not done:
            raise QbwatchError(
                "nothing was changed: by now it is in another state, or another file stands for the same",
                "`qbwatch why` tells the file's story",
            )
        worker.wake()
        self.running.changed()
        return {"items": done}

    def _write(self, work: Callable[[Connection], T]) -> T:
        """In a transaction of its own."""
        if self.running.engine is None:
            raise QbwatchError("the database was not reached yet", "`qbwatch status` says why")
        try:
            with self.running.engine.connect() as connection, connection.begin():
                return work(connection)
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(failure_of(error)) from error

    def _worker(self) -> Worker:
        if self.running.worker is None:
            raise QbwatchError("qbwatch is still starting", "try again in a moment")
        return self.running.worker


def _number(params: Json, name: str) -> int:
    value = params.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise QbwatchError(f"the request lacks a number {name!r}", "qbwatch tui sends it")
    return value
