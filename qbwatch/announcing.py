"""Telling people: the loop that turns what is wrong into incidents, incidents into messages, and sends these.

Everything is kept before it is sent, in Postgres or, while that is out of reach, in the state folder; so a restart
repeats nothing and loses nothing. A message is noted as delivered right after the service took it; what can't be known
is whether it took one when we were killed in between: that one is sent again under the same key (see `core.outbox`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from sqlalchemy import Engine

from qbwatch.core import outbox
from qbwatch.core.facts import Json
from qbwatch.core.incident import Incident, Kind, Pace, Sighting, judge, sightings_of
from qbwatch.core.message import Circumstances, Ending, Message, about, digest, of_success, over, recovered
from qbwatch.core.missing import MISSING, ending_of
from qbwatch.core.outbox import Book, Delivery
from qbwatch.core.redaction import Redact, redaction
from qbwatch.core.trouble import Trouble
from qbwatch.edges.alert_spool import Spool
from qbwatch.edges.customers import customer_names
from qbwatch.edges.incidents import (
    forget_services,
    quarantined_causes,
    read_book,
    write_book,
)
from qbwatch.edges.notify import DEADLINE, Service, send
from qbwatch.edges.postgres import DATABASE_ERRORS
from qbwatch.edges.raw_names import RAW_SCHEMA
from qbwatch.log import get_logger

log = get_logger(__name__)

TICK = 15.0  # seconds between looks
_LONGEST_TEXT = 100_000  # characters; what the service itself takes is cut where the service is known
_NEWS = timedelta(days=1)  # a run that ended longer ago is no news


@dataclass(frozen=True, slots=True)
class Announcing:
    """What is told, how, and how often. ``fallback``: services that get what none of the others takes."""

    services: Sequence[Service]
    state: Path
    pace: Pace = field(default_factory=Pace)
    on_success: str = "never"
    deadline: float = DEADLINE
    tick: float = TICK
    first_pause: timedelta = timedelta(seconds=15)
    fallback: Sequence[Service] = ()
    redact: bool = True
    zone: tzinfo = UTC
    raw_schema: str = RAW_SCHEMA  # where the customers' names lie, which messages leave out

    @property
    def names(self) -> list[str]:
        """The services that are told first."""
        return [each.name for each in self.services]

    @property
    def everyone(self) -> list[Service]:
        """All services; one that stands in both lists is told first."""
        return [*self.services, *(each for each in self.fallback if each not in self.services)]


@dataclass(slots=True)
class Announcer:
    """The thread ``notify``. ``trouble`` says what is wrong; ``engine`` None while Postgres was never reached."""

    settings: Announcing
    trouble: Callable[[], Trouble]
    engine: Callable[[], Engine | None]
    stop: threading.Event
    beat: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    book: Book = field(default_factory=Book)
    kept: Book | None = None
    _next: Announcing | None = None
    _spool: Spool = field(init=False)

    def __post_init__(self) -> None:
        self._spool = Spool(self.settings.state)

    def renew(self, settings: Announcing) -> None:
        """Tell like this from the next look on. For any thread."""
        self._next = settings

    def loop(self) -> None:
        """Look and send until asked to stop."""
        while not self.stop.wait(self.settings.tick):
            self.beat()
            self.look()

    def look(self) -> None:
        """One look: judge, keep, send what is due."""
        if self._next is not None:
            self.settings = self._next
        trouble, now = self.trouble(), self.now()
        sightings = self._recall(now) if trouble.is_known else None
        self._judge(trouble, sightings, now)
        self.book = outbox.pass_on(self.book, self.settings.names, [each.name for each in self.settings.fallback], now)
        self._keep()
        for service in self.settings.everyone:
            while self._send_to(service) and not self.stop.is_set():
                pass
            if self.stop.is_set():
                return

    def _recall(self, now: datetime) -> list[Sighting] | None:
        """The book as Postgres has it, with what was spooled folded in; None while Postgres is out of reach."""
        engine = self.engine()
        if engine is None:
            return None
        try:
            with engine.begin() as connection:
                if (spooled := self._spool.read()) is not None:
                    write_book(connection, spooled)
                forget_services(connection, [service.name for service in self.settings.everyone])
                self.book = read_book(connection, now, self.settings.pace.returning)
                found = quarantined_causes(connection)
        except DATABASE_ERRORS:
            return None
        self._spool.drop()
        self.kept = self.book
        return found

    def _judge(self, trouble: Trouble, quarantined: list[Sighting] | None, now: datetime) -> None:
        """Without the ledger only Postgres' own trouble is judged: of all else nothing new is known."""
        present = sightings_of(trouble.problems)
        known = self.book.incidents
        if quarantined is None:
            if not self.book.incidents and (spooled := self._spool.read()) is not None:
                self.book, known = spooled, spooled.incidents
            present = [each for each in present if each.code == "database_down"]
            known = tuple(each for each in known if each.code == "database_down")
        else:
            present += quarantined
        judged = judge(known, present, self.settings.pace, now)
        fresh = {each.id for each in judged.incidents}
        kept = tuple(each for each in self.book.incidents if each.id not in fresh)
        self.book = replace(self.book, incidents=(*kept, *judged.incidents))
        if judged.told:
            self._tell(judged.told, trouble, now)
        if quarantined is not None:
            self._tell_success(trouble.last_run, now)

    def _tell(self, told: Sequence[tuple[Incident, Kind]], trouble: Trouble, now: datetime) -> None:
        """Queue what is to be told; nobody to tell it to leaves it untold."""
        if not self.settings.services:
            untold = {each.id: replace(each, told_at=None) for each, kind in told if kind is Kind.OPENED}
            self.book = replace(self.book, incidents=tuple(untold.get(each.id, each) for each in self.book.incidents))
            return
        at = Circumstances(now, self.settings.zone, trouble.last_success_at, trouble.through, self._redaction())
        for incident, kind in told:
            if kind is Kind.RECOVERED:
                ending = _ending(incident, trouble)
                names = [each.name for each in self.settings.everyone if each.name in incident.reached]
                names = list(dict.fromkeys([*self.settings.names, *names]))
                told_so = recovered(incident, at, ending), over(incident, at, ending)
                self.book = outbox.recovery(self.book, incident, *told_so, names, now)
            else:
                message = about(incident, kind, at)
                self.book = outbox.alert(self.book, incident, kind, message, self._targets(incident), now)

    def _targets(self, incident: Incident) -> list[str]:
        """Who is told of it: all; of a broken channel the others."""
        if incident.code != "channel_broken":
            return self.settings.names
        others = [name for name in self.settings.names if name != incident.concerns]
        return others or [each.name for each in self.settings.fallback if each.name != incident.concerns]

    def _redaction(self) -> Redact:
        if not self.settings.redact:
            return str
        names: list[str] = []
        if (engine := self.engine()) is not None:
            with suppress(*DATABASE_ERRORS), engine.connect() as connection:
                names = customer_names(connection, self.settings.raw_schema)
        return redaction(names)

    def _tell_success(self, run: Json | None, now: datetime) -> None:
        """The message about the last run; its id keeps it from being sent twice."""
        if self.settings.on_success == "never" or run is None or run["status"] != "success":
            return
        if now - datetime.fromisoformat(run["finished_at"]) > _NEWS:
            return
        is_daily = self.settings.on_success == "daily"
        told = f"success-{run['finished_at'][:10]}" if is_daily else f"success-run-{run['id']}"
        known = {each.id for each in self.book.deliveries}
        queued = outbox.queue(told, None, Kind.SUCCESS, of_success(run), self.settings.names, now)
        self.book = self.book.with_deliveries([each for each in queued if each.id not in known])

    def _keep(self) -> None:
        if self.book == self.kept:
            return
        try:
            self._spool.keep(self.engine(), self.book)
            self.kept = self.book
        except OSError as error:
            log.warning("alerts can't be kept; a restart may repeat some", reason=str(error))

    def _send_to(self, service: Service) -> bool:
        """What is due at a service as one message, noted before it is sent. True when it was taken."""
        due = outbox.due(self.book, service.name, self.now())
        if not due:
            return False
        due = outbox.sealed(due)
        self._note(due)
        message = digest([Message(each.subject, each.body) for each in due], _LONGEST_TEXT)
        sent = send(service, message, self.settings.deadline, self.stop.is_set, due[0].batch or "")
        self.beat()
        if sent.error is None:
            self.book = outbox.delivered(self.book, due, self.now())
            self._keep()
            return True
        log.warning("an alert was not delivered", service=service.name, reason=sent.error, waiting=len(due))
        first_pause, at = self.settings.first_pause, self.now()
        self._note(outbox.undelivered(due, sent.error, at, first_pause, for_good=sent.for_good, unsure=sent.unsure))
        return False

    def _note(self, deliveries: list[Delivery]) -> None:
        self.book = self.book.with_deliveries(deliveries)
        self._keep()


def _ending(incident: Incident, trouble: Trouble) -> Ending:
    """How missing exports ended; of all else, that it did is all there is to say."""
    if incident.code != MISSING or trouble.week is None:
        return Ending()
    found = (each for each in trouble.expected if each.expectation.dataset == incident.concerns)
    return next((ending_of(each, incident.opened_at, trouble.week) for each in found), Ending())
