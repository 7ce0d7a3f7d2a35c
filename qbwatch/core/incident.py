"""Incidents: one per cause of trouble, a function of what was known, what is wrong now, and the time.

A cause is the class, the code and what it concerns; files that fail for the same cause join its incident. It is told
after a short hold, so that a burst of files is one message with its full count; it has recovered once it has been
absent for a while, and the longer the more often it came back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from qbwatch.core.facts import Problem, Severity
from qbwatch.core.model import FailureClass

NAMES_KEPT = 5
_JOINED = ("stale", "data_test_warns")  # one cause, whichever and however many relations and tests it hits


class Kind(StrEnum):
    """What a message says."""

    OPENED = "opened"
    REMINDER = "reminder"
    RECOVERED = "recovered"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A cause of trouble that is present now; ``names`` are the first of ``count`` files or relations it hits."""

    failure_class: FailureClass
    code: str
    concerns: str
    severity: Severity
    summary: str
    hint: str
    names: tuple[str, ...] = ()
    count: int = 1

    @property
    def cause(self) -> str:
        """What tells one incident from another."""
        return f"{self.failure_class.value}/{self.code}/{self.concerns}"


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause of trouble. ``told_at``: when a message about it was last queued (None: not yet); ``reached``: the
    services that took an alert about it since it last opened."""

    id: str
    cause: str
    failure_class: FailureClass
    code: str
    severity: Severity
    summary: str
    hint: str
    names: tuple[str, ...]
    count: int
    opened_at: datetime
    seen_since: datetime
    absent_since: datetime | None = None
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None
    recovered_at: datetime | None = None
    returns: int = 0
    reached: tuple[str, ...] = ()

    @property
    def concerns(self) -> str:
        """What it is about: a dataset, say; empty when its code says all."""
        return self.cause.split("/", 2)[2]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long trouble is looked at before it is told, is absent before it counts as gone, and when it is told again.

    What comes back within ``returning`` is the same incident.
    """

    hold: timedelta = timedelta(seconds=15)
    quiet: timedelta = timedelta(seconds=60)
    remind: timedelta = timedelta(hours=24)
    returning: timedelta = timedelta(hours=1)
    slowest: timedelta = timedelta(hours=1)

    def hold_for(self, incident: Incident) -> timedelta:
        """The more often it came back, the longer it must stay to be told again."""
        return self._slower(self.hold, incident.returns)

    def quiet_for(self, incident: Incident) -> timedelta:
        """The more often it came back, the longer it must be gone."""
        return self._slower(self.quiet, incident.returns)

    def _slower(self, usual: timedelta, returns: int) -> timedelta:
        slower: timedelta = usual * int(2 ** min(returns, 16))
        return max(usual, min(slower, self.slowest))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The incidents after a look (open ones, and those that just recovered), and what is to be told."""

    incidents: tuple[Incident, ...]
    told: tuple[tuple[Incident, Kind], ...]


def judge(known: Sequence[Incident], present: Sequence[Sighting], pace: Pace, now: datetime) -> Judgement:
    """Open, join, remind, recover. ``known``: what is open, and what recovered within ``pace.returning``."""
    seen = joined(present)
    latest: dict[str, Incident] = {}
    for incident in sorted(
        (_not_ahead(each, now) for each in known), key=lambda each: (each.recovered_at is None, each.opened_at)
    ):
        latest[incident.cause] = incident
    kept: list[Incident] = []
    told: list[tuple[Incident, Kind]] = []
    for cause in dict.fromkeys([*latest, *seen]):
        before, sighting = latest.get(cause), seen.get(cause)
        after = _absent(before, pace, now) if sighting is None and before else _present(before, sighting, pace, now)
        if after is None:
            continue
        after, kind = _tell(after, pace, now)
        kept.append(after)
        if kind is not None:
            told.append((after, kind))
    return Judgement(tuple(kept), tuple(told))


def _not_ahead(incident: Incident, now: datetime) -> Incident:
    """A moment that lies ahead was noted by a clock that has been set back since: now is as near as can be known.

    Else trouble that is over would stay open, and new trouble untold, until the clock has come there again.
    """

    def by_now(at: datetime | None) -> datetime | None:
        return at if at is None else min(at, now)

    return replace(
        incident,
        opened_at=min(incident.opened_at, now),
        seen_since=min(incident.seen_since, now),
        absent_since=by_now(incident.absent_since),
        told_at=by_now(incident.told_at),
        acknowledged_at=by_now(incident.acknowledged_at),
        recovered_at=by_now(incident.recovered_at),
    )


def joined(present: Sequence[Sighting]) -> Mapping[str, Sighting]:
    """One sighting per cause, with all counts and the first names."""
    found: dict[str, Sighting] = {}
    for each in present:
        if (first := found.get(each.cause)) is not None:
            names = tuple(dict.fromkeys(first.names + each.names))[:NAMES_KEPT]
            worst = Severity.ERROR if Severity.ERROR in (first.severity, each.severity) else Severity.WARNING
            each = replace(first, names=names, count=first.count + each.count, severity=worst)
        found[each.cause] = each
    return found


def _present(before: Incident | None, sighting: Sighting | None, pace: Pace, now: datetime) -> Incident | None:
    if sighting is None:
        return None
    if before is not None and before.recovered_at is None:
        return replace(_described(before, sighting), absent_since=None)
    if before is not None and before.recovered_at is not None and now - before.recovered_at < pace.returning:
        again = replace(_described(before, sighting), recovered_at=None, absent_since=None, told_at=None)
        return replace(again, seen_since=now, acknowledged_at=None, reached=(), returns=before.returns + 1)
    digest = hashlib.sha256(f"{sighting.cause} {now.isoformat()}".encode("utf-8", "replace")).hexdigest()
    return Incident(
        digest[:8], sighting.cause, sighting.failure_class, sighting.code, sighting.severity, sighting.summary,
        sighting.hint, sighting.names[:NAMES_KEPT], sighting.count, now, now,
    )  # fmt: skip


def _described(incident: Incident, sighting: Sighting) -> Incident:
    return replace(
        incident,
        summary=sighting.summary,
        hint=sighting.hint,
        severity=sighting.severity,
        names=sighting.names[:NAMES_KEPT],
        count=sighting.count,
    )


def _absent(incident: Incident, pace: Pace, now: datetime) -> Incident | None:
    if incident.recovered_at is not None:
        return None
    since = incident.absent_since or now
    gone = replace(incident, absent_since=since)
    return replace(gone, recovered_at=now) if now - since >= pace.quiet_for(incident) else gone


def _tell(incident: Incident, pace: Pace, now: datetime) -> tuple[Incident, Kind | None]:
    if incident.recovered_at is not None:
        return incident, Kind.RECOVERED if incident.told_at else None
    if incident.absent_since is not None:
        return incident, None
    if incident.told_at is None:
        is_due = now - incident.seen_since >= pace.hold_for(incident)
        return (replace(incident, told_at=now), Kind.OPENED) if is_due else (incident, None)
    if incident.acknowledged_at is None and now - incident.told_at >= pace.remind:
        return replace(incident, told_at=now), Kind.REMINDER
    return incident, None


def sightings_of(problems: Sequence[Problem]) -> list[Sighting]:
    """Problems as causes; those about files that wait for a person are counted in the ledger instead.

    A daemon that tells of itself is not down. What makes Postgres unreachable changes its code while it lasts, and is
    one cause. What is too old is one cause too, however many relations are.
    """
    return [
        Sighting(
            problem.failure_class,
            "database_down" if problem.code.startswith("database_") else problem.code,
            "" if problem.code in _JOINED else problem.concerns,
            problem.severity,
            problem.summary,
            problem.hint,
            (problem.file or problem.concerns,) if problem.file or problem.code in _JOINED else (),
        )
        for problem in problems
        if problem.code not in ("quarantined_file", "daemon_down")
    ]
