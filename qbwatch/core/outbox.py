"""Messages on their way: what is queued for whom, what is sent together, and what becomes of it.

A recovery is told to those who were told of the trouble, and to nobody else; one whose alert still waits gets a single
message that says both. What may have been taken without our knowing it (no answer came, or we were killed) is sealed:
it is sent again exactly as it was, so that a service or a reader recognises it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from qbwatch.core.incident import Incident, Kind
from qbwatch.core.message import Message

FALLBACK_AFTER = timedelta(minutes=10)
_LONGEST_PAUSE = timedelta(hours=1)
_ALERTS = (Kind.OPENED, Kind.REMINDER)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to one service; ``refused_at``: since when the service refuses for good."""

    id: str
    incident_id: str | None
    service: str
    kind: Kind
    subject: str
    body: str
    queued_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    delivered_at: datetime | None = None
    refused_at: datetime | None = None
    error: str | None = None
    batch: str | None = None
    passed_on_at: datetime | None = None

    @property
    def message(self) -> str:
        """What the deliveries of one message to several services have in common."""
        return self.id.removesuffix(f"-{self.service}")


@dataclass(frozen=True, slots=True)
class Book:
    """What is known: incidents that are open or recovered lately, and deliveries that are due or were made lately."""

    incidents: tuple[Incident, ...] = ()
    deliveries: tuple[Delivery, ...] = ()

    def with_deliveries(self, changed: Collection[Delivery]) -> Book:
        """The book with these deliveries, whether they are new or have changed."""
        after = {each.id: each for each in changed}
        kept = tuple(after.pop(each.id, each) for each in self.deliveries)
        return replace(self, deliveries=(*kept, *after.values()))


def queue(
    name: str, incident: str | None, kind: Kind, message: Message, services: Sequence[str], now: datetime
) -> list[Delivery]:
    """One message for each of these services."""
    return [
        Delivery(f"{name}-{service}", incident, service, kind, message.subject, message.body, now, now)
        for service in services
    ]


def alert(book: Book, incident: Incident, kind: Kind, message: Message, services: Sequence[str], now: datetime) -> Book:
    """Tell that trouble opened or is still there; a service that hasn't taken the last word on it isn't reminded."""
    busy = {each.service for each in _waiting_alerts(book, incident)}
    free = [service for service in services if service not in busy]
    return book.with_deliveries(queue(_name(incident, kind, now), incident.id, kind, message, free, now))


def recovery(
    book: Book, incident: Incident, recovered: Message, over: Message, services: Sequence[str], now: datetime
) -> Book:
    """Tell that trouble is over: ``recovered`` to those who know of it, ``over`` to those whose alert still waits."""
    waiting = {each.service: each for each in _waiting_alerts(book, incident)}
    changed = []
    knows = {*incident.reached, *(name for name, each in waiting.items() if each.batch is not None)}
    for service, each in waiting.items():
        if each.batch is None:
            is_known = service in incident.reached
            told = recovered if is_known else over
            kind = Kind.RECOVERED if is_known else each.kind
            changed.append(replace(each, kind=kind, subject=told.subject, body=told.body))
    knows -= {each.service for each in changed}
    if incident.reached and not {*incident.reached, *waiting} & set(services):
        knows = set(services)  # the addresses have changed meanwhile, hardly the people
    name = _name(incident, Kind.RECOVERED, now)
    return book.with_deliveries(
        [*changed, *queue(name, incident.id, Kind.RECOVERED, recovered, sorted(knows & set(services)), now)]
    )


def due(book: Book, service: str, now: datetime) -> list[Delivery]:
    """What is to be sent to a service now, as one message, in order; the first of it decides when it is tried.

    A next try that lies further ahead than any pause takes, comes from a clock that was set back since; so does a first
    one, for which nothing waits.
    """
    waiting = [each for each in book.deliveries if each.service == service and each.delivered_at is None]
    sealed = next((each.batch for each in waiting if each.batch is not None), None)
    if sealed is not None:
        waiting = [each for each in waiting if each.batch == sealed]
    if not waiting or (waiting[0].attempts and now < waiting[0].next_attempt_at <= now + _LONGEST_PAUSE):
        return []
    return waiting


def sealed(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Noted as sent together, before they are."""
    key = deliveries[0].batch or _digest(" ".join(each.id for each in deliveries))[:16]
    return [replace(each, batch=key) for each in deliveries]


def delivered(book: Book, deliveries: Sequence[Delivery], now: datetime) -> Book:
    """The service took them."""
    done = [
        replace(each, attempts=each.attempts + 1, delivered_at=now, refused_at=None, error=None) for each in deliveries
    ]
    reached = {each.incident_id: each for each in done if each.kind in _ALERTS}
    incidents = tuple(
        replace(each, reached=tuple(dict.fromkeys((*each.reached, told.service))))
        if (told := reached.get(each.id)) is not None and told.queued_at >= each.seen_since
        else each
        for each in book.incidents
    )
    return replace(book, incidents=incidents).with_deliveries(done)


def undelivered(
    deliveries: Sequence[Delivery], error: str, now: datetime, first_pause: timedelta, *, for_good: bool, unsure: bool
) -> list[Delivery]:
    """The service didn't take them, or didn't say so; they stay sealed while it may have taken them."""
    found = []
    for each in deliveries:
        attempts = each.attempts + 1
        pause = _LONGEST_PAUSE if for_good else min(first_pause * 2 ** min(attempts - 1, 10), _LONGEST_PAUSE)
        refused = (each.refused_at or now) if for_good else None
        batch = each.batch if unsure else None
        found.append(
            replace(each, attempts=attempts, next_attempt_at=now + pause, refused_at=refused, error=error, batch=batch)
        )
    return found


def pass_on(book: Book, services: Sequence[str], fallback: Sequence[str], now: datetime) -> Book:
    """Give the fallback services what none of the others has taken: refused for good, or not taken for a while."""
    if not fallback:
        return book
    stuck: dict[str, list[Delivery]] = {}
    for each in book.deliveries:
        is_stuck = each.refused_at is not None or (each.attempts and abs(now - each.queued_at) >= FALLBACK_AFTER)
        if each.service in services and each.delivered_at is None and each.passed_on_at is None and is_stuck:
            stuck.setdefault(each.message, []).append(each)
    changed = []
    for message, copies in stuck.items():
        if len(copies) == len(services):
            changed += [replace(copy, passed_on_at=now) for copy in copies]
            first = copies[0]
            told = Message(first.subject, first.body)
            changed += queue(message, first.incident_id, first.kind, told, fallback, first.queued_at)
    return book.with_deliveries(changed)


def _waiting_alerts(book: Book, incident: Incident) -> list[Delivery]:
    return [
        each
        for each in book.deliveries
        if each.incident_id == incident.id
        and each.delivered_at is None
        and each.kind in _ALERTS
        and each.queued_at >= incident.seen_since
    ]


def _name(incident: Incident, kind: Kind, now: datetime) -> str:
    return f"{incident.id}-{kind.value}-{now:%Y%m%dT%H%M%S}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
