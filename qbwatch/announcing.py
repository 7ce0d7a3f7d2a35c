"""Telling people: the loop that turns what is wrong into incidents, incidents into messages, and sends these.

Everything is kept before it is sent, in Postgres or, while that is out of reach, in the state folder; so a restart
repeats nothing and loses nothing. A message is noted as delivered right after the service took it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from qbwatch.core.facts import Json, Severity
from qbwatch.core.incident import Kind, Pace, Sighting, judge, sightings_of
from qbwatch.core.message import Message, about, digest, of_success
from qbwatch.core.model import FailureClass
from qbwatch.edges.incidents import (
    Book,
    Delivery,
    drop_spool,
    forget_services,
    quarantined_causes,
    read_book,
    read_spool,
    write_book,
    write_spool,
)
from qbwatch.edges.notify import DEADLINE, Sent, Service, send
from qbwatch.edges.postgres import DATABASE_ERRORS
from qbwatch.log import get_logger

log = get_logger(__name__)

TICK = 15.0  # seconds between looks
_LONGEST_TEXT = 100_000  # characters; what the service itself takes is cut where the service is known
_LONGEST_PAUSE = timedelta(hours=1)
_NEWS = timedelta(days=1)  # a run that ended longer ago is no news


@dataclass(frozen=True, slots=True)
class Announcing:
    """What is told, how, and how often."""

    services: Sequence[Service]
    state: Path
    pace: Pace = field(default_factory=Pace)
    on_success: str = "never"
    deadline: float = DEADLINE
    tick: float = TICK
    first_pause: timedelta = timedelta(seconds=15)


@dataclass(slots=True)
class Announcer:
    """The thread ``notify``. ``status`` gives the whole status; ``engine`` None while Postgres was never reached."""

    settings: Announcing
    status: Callable[[], Json]
    engine: Callable[[], Engine | None]
    stop: threading.Event
    beat: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    book: Book = field(default_factory=Book)

    def loop(self) -> None:
        """Look and send until asked to stop."""
        while not self.stop.wait(self.settings.tick):
            self.beat()
            self.look()

    def look(self) -> None:
        """One look: judge, keep, send what is due."""
        status, now = self.status(), self.now()
        sightings = self._recall(now) if status["answered_by"] != "cache" else None
        self._judge(status, sightings, now)
        self._keep()
        for service in self.settings.services:
            self._send_to(service)
            if self.stop.is_set():
                return

    def _recall(self, now: datetime) -> list[Sighting] | None:
        """The book as Postgres has it, with what was spooled folded in; None while Postgres is out of reach."""
        engine, state = self.engine(), self.settings.state
        if engine is None:
            return None
        try:
            with engine.begin() as connection:
                if (spooled := read_spool(state)) is not None:
                    write_book(connection, spooled)
                forget_services(connection, [service.name for service in self.settings.services])
                self.book = read_book(connection, now, self.settings.pace.returning)
                found = quarantined_causes(connection)
        except DATABASE_ERRORS:
            return None
        drop_spool(state)
        return found

    def _judge(self, status: Json, quarantined: list[Sighting] | None, now: datetime) -> None:
        """Without the ledger only Postgres' own trouble is judged: of all else nothing new is known."""
        present = sightings_of(status["problems"])
        known = self.book.incidents
        if quarantined is None:
            if not self.book.incidents and (spooled := read_spool(self.settings.state)) is not None:
                self.book, known = spooled, spooled.incidents
            present = [each for each in present if each.code == "database_down"]
            known = tuple(each for each in known if each.code == "database_down")
        else:
            present += [*quarantined, *self._broken()]
        judged = judge(known, present, self.settings.pace, now)
        fresh = {each.id for each in judged.incidents}
        queued = [
            delivery
            for incident, kind in judged.told
            for delivery in self._queue(
                incident.id, f"{incident.id}-{kind.value}-{now:%Y%m%dT%H%M%S}", kind,
                about(incident, kind, status["last_success_at"], now), now,
            )
        ]  # fmt: skip
        if quarantined is not None:
            queued += self._success(status["last_run"], now)
        kept = tuple(each for each in self.book.incidents if each.id not in fresh)
        self.book = Book((*kept, *judged.incidents), (*self.book.deliveries, *queued))

    def _success(self, run: Json | None, now: datetime) -> Iterator[Delivery]:
        """The message about the last run; its id keeps it from being sent twice."""
        if self.settings.on_success == "never" or run is None or run["status"] != "success":
            return
        if now - datetime.fromisoformat(run["finished_at"]) > _NEWS:
            return
        is_daily = self.settings.on_success == "daily"
        told = f"success-{run['finished_at'][:10]}" if is_daily else f"success-run-{run['id']}"
        known = {each.id for each in self.book.deliveries}
        yield from (
            each for each in self._queue(None, told, Kind.SUCCESS, of_success(run), now) if each.id not in known
        )

    def _queue(self, incident: str | None, name: str, kind: Kind, message: Message, now: datetime) -> list[Delivery]:
        return [
            Delivery(f"{name}-{each.name}", incident, each.name, kind, message.subject, message.body, now, now)
            for each in self.settings.services
        ]

    def _broken(self) -> list[Sighting]:
        """Services that refuse for good; the others tell of them."""
        refused = {each.service: each for each in self.book.deliveries if each.refused_at is not None}
        return [
            Sighting(
                FailureClass.CONFIGURATION,
                "channel_broken",
                name,
                Severity.WARNING,
                f"alert channel {name} broken since {each.refused_at:%Y-%m-%d %H:%M} UTC: {each.error}",
                "put a valid address into alerts.urls, restart, then: qbwatch alerts test",
            )
            for name, each in refused.items()
        ]

    def _keep(self) -> None:
        engine = self.engine()
        if engine is not None:
            try:
                with engine.begin() as connection:
                    write_book(connection, self.book)
                return
            except DATABASE_ERRORS:
                pass
        try:
            write_spool(self.settings.state, self.book)
        except OSError as error:
            log.warning("alerts can't be kept; a restart may repeat some", reason=str(error))

    def _send_to(self, service: Service) -> None:
        """Everything that waits for a service as one message, in order. The first of it decides when it is tried."""
        waiting = [each for each in self.book.deliveries if each.service == service.name and each.delivered_at is None]
        if not waiting or waiting[0].next_attempt_at > self.now():
            return
        message = digest([Message(each.subject, each.body) for each in waiting], _LONGEST_TEXT)
        sent = send(service, message, self.settings.deadline, self.stop.is_set)
        self.beat()
        after = {each.id: _after(each, sent, self.now(), self.settings.first_pause) for each in waiting}
        if sent.error is not None:
            log.warning("an alert was not delivered", service=service.name, reason=sent.error, waiting=len(waiting))
        self.book = replace(self.book, deliveries=tuple(after.get(each.id, each) for each in self.book.deliveries))
        self._keep()


def _after(delivery: Delivery, sent: Sent, now: datetime, first_pause: timedelta) -> Delivery:
    attempts = delivery.attempts + 1
    if sent.error is None:
        return replace(delivery, attempts=attempts, delivered_at=now, refused_at=None, error=None)
    pause = _LONGEST_PAUSE if sent.for_good else min(first_pause * 2 ** min(attempts - 1, 10), _LONGEST_PAUSE)
    refused = (delivery.refused_at or now) if sent.for_good else None
    return replace(delivery, attempts=attempts, next_attempt_at=now + pause, refused_at=refused, error=sent.error)
