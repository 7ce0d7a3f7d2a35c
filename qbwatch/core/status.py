"""Is my data current, and is it right? The answer, assembled from facts that somebody else gathered.

The daemon and the command line use this same function, so there is one truth; they differ only in where the facts
came from, which the answer says itself (``answered_by``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from qbwatch.core import missing
from qbwatch.core import problems as problems_of
from qbwatch.core.expect import Standing
from qbwatch.core.facts import DaemonFacts, Json, LedgerFacts, Limits, Problem, RelationFacts, Severity, moment
from qbwatch.core.freshness import business_days_between, judge
from qbwatch.core.model import DaemonState, FailureClass


def assemble(
    ledger: LedgerFacts, daemon: DaemonFacts, limits: Limits, *, answered_by: str, version: str, at: datetime
) -> Json:
    """The whole answer, with the keys of ``qbwatch status --json``."""
    freshness = [_freshness(relation, limits) for relation in ledger.relations]
    expected = standings(ledger, limits, at)
    problems = _problems(ledger, daemon, limits, freshness, expected, at)
    settling = [
        {"name": name, "dataset": None, "state": "settling", "next_attempt_at": None} for name, _ in daemon.settling
    ]
    oldest = min((since for _, since in daemon.settling), default=None)
    return {
        "as_of": moment(at),
        "answered_by": answered_by,
        "version": version,
        "health": health_of(problems),
        "problems": [problem.to_json() for problem in problems],
        "daemon": {
            "state": daemon.state.value,
            "pid": daemon.pid,
            "started_at": moment(daemon.started_at),
            "watcher": daemon.watcher,
            "polled_because": daemon.polled_because,
            "watch_alive": daemon.watch_alive,
            "events_missed": daemon.events_missed,
            "last_scan_at": moment(daemon.last_scan_at),
            "paused": daemon.paused.to_json() if daemon.paused else None,
            "requests": list(daemon.requests),
        },
        "pending": {
            "count": ledger.waiting_count + len(settling) + daemon.more_settling,
            "oldest_seen_at": moment(min(filter(None, (oldest, ledger.oldest_waiting_at)), default=None)),
            "files": settling + list(ledger.waiting),
        },
        "ignored": dict(daemon.ignored),
        "quarantined": list(ledger.quarantined),
        "current_run": ledger.current_run and {**ledger.current_run, "node": daemon.node},
        "last_run": ledger.last_run,
        "last_success_at": moment(ledger.last_success_at),
        "freshness": freshness,
        "expected": [missing.to_json(each, limits.week) for each in expected],
        "transform": {
            "debt": list(ledger.debt),
            "last_build_at": moment(ledger.last_build_at),
            "failed_nodes": list(ledger.failed_nodes),
        },
        "alerts": dict(ledger.alerts),
    }


def problems_in(ledger: LedgerFacts, daemon: DaemonFacts, limits: Limits, at: datetime) -> list[Problem]:
    """What is wrong, and nothing else."""
    freshness = [_freshness(relation, limits) for relation in ledger.relations]
    return _problems(ledger, daemon, limits, freshness, standings(ledger, limits, at), at)


def standings(ledger: LedgerFacts, limits: Limits, at: datetime) -> list[Standing]:
    """How the exports that are expected stand."""
    return missing.standings_of(ledger.exports, limits.expected, limits.week, ledger.known_since, at)


def _problems(
    ledger: LedgerFacts,
    daemon: DaemonFacts,
    limits: Limits,
    freshness: Sequence[Json],
    expected: Sequence[Standing],
    at: datetime,
) -> list[Problem]:
    absent = missing.problems_of(expected, limits.week)
    known = [
        *problems_of.of_daemon(daemon),
        *problems_of.of_ledger(ledger),
        # Which export is missing says more than that nothing comes.
        *(absent or problems_of.of_arrivals(ledger, daemon.sync_client, at, limits.week)),
        *problems_of.of_freshness(freshness),
    ]
    return problems_of.without_repeats(known)


def health_of(problems: Sequence[Problem]) -> str:
    """``error`` when anything is wrong, ``warning`` when something wants a look, else ``ok``."""
    if any(problem.severity is Severity.ERROR for problem in problems):
        return "error"
    return "warning" if problems else "ok"


def from_cache(answer: Json, cached_at: datetime, problem: Problem, daemon: DaemonFacts | None, at: datetime) -> Json:
    """The last known answer, marked as such: ``as_of`` stays the moment at which it was true."""
    age = _age(at, cached_at)
    said = {**problem.to_json(), "summary": f"{problem.summary}; this is the last known answer, {age} old"}
    known = [entry for entry in answer["problems"] if not entry["code"].startswith(("database_", "daemon_down"))]
    if daemon is not None and daemon.state is not DaemonState.DOWN:
        current = _of_now(daemon)
        told = {(entry["code"], entry["file"]) for entry in current}
        earlier = [entry for entry in known if not _is_of_surroundings(entry)]
        known = [*current, *(entry for entry in earlier if (entry["code"], entry["file"]) not in told)]
    state = daemon.state.value if daemon else DaemonState.DOWN.value
    pid, alive = (daemon.pid, daemon.watch_alive) if daemon else (None, None)
    return {
        **answer,
        "answered_by": "cache",
        "health": "error",
        "problems": [said, *known],
        "daemon": {**answer["daemon"], "state": state, "pid": pid, "watch_alive": alive, **_steered(daemon)},
    }


def _steered(daemon: DaemonFacts | None) -> Json:
    paused = daemon.paused.to_json() if daemon and daemon.paused else None
    return {"paused": paused, "requests": list(daemon.requests) if daemon else []}


def _of_now(daemon: DaemonFacts) -> list[Json]:
    """What a living daemon knows of itself is no older than the question."""
    return [each.to_json() for each in problems_of.of_daemon(daemon) if not each.code.startswith("database_")]


def _is_of_surroundings(entry: Json) -> bool:
    """Whether a problem of an earlier answer was about the daemon or what is around it, and not about files or data."""
    return entry["class"] == FailureClass.INFRASTRUCTURE and entry["file"] is None


def _age(at: datetime, then: datetime) -> str:
    seconds = max(int((at - then).total_seconds()), 0)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return f"{seconds} seconds"


def _freshness(relation: RelationFacts, limits: Limits) -> Json:
    through = relation.current_through
    age = None if through is None else business_days_between(through, limits.today, limits.is_closed)
    return {
        "relation": relation.relation,
        "rows": relation.rows,
        "current_through": None if through is None else through.isoformat(),
        "age_business_days": age,
        "state": judge(age, limits.limit_for(relation.relation)).value,
    }
