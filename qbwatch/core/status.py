"""Is my data current, and is it right? The answer, assembled from facts that somebody else gathered.

The daemon and the command line use this same function, so there is one truth; they differ only in where the facts
came from, which the answer says itself (``answered_by``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from qbwatch.core.freshness import Freshness, IsClosed, business_days_between, judge
from qbwatch.core.model import DaemonState, FailureClass

Json = dict[str, Any]


class Severity(StrEnum):
    """How bad a problem is; the worst one is the health of the whole."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong and what a person can do about it."""

    code: str
    failure_class: FailureClass
    severity: Severity
    summary: str
    hint: str
    since: datetime | None = None
    file: str | None = None

    def to_json(self) -> Json:
        """The entry of ``problems``."""
        return {
            "code": self.code,
            "class": self.failure_class.value,
            "severity": self.severity.value,
            "summary": self.summary,
            "hint": self.hint,
            "since": moment(self.since),
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """What only the daemon knows of itself."""

    state: DaemonState
    pid: int | None = None
    started_at: datetime | None = None
    watcher: str | None = None
    watch_alive: bool | None = None
    events_missed: int = 0
    last_scan_at: datetime | None = None
    settling: Sequence[tuple[str, datetime]] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class RelationFacts:
    """A mart or dataset: its rows, and the office's day up to which it is complete (None: never loaded)."""

    relation: str
    rows: int | None
    current_through: date | None


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What Postgres knows. The lists hold rows of the ledger with the keys that the answer shows."""

    waiting_count: int
    oldest_waiting_at: datetime | None
    waiting: Sequence[Json]
    quarantined: Sequence[Json]
    current_run: Json | None
    last_run: Json | None
    last_success_at: datetime | None
    relations: Sequence[RelationFacts]
    debt: Sequence[str]
    debt_reason: str | None
    last_build_at: datetime | None
    failed_nodes: Sequence[Json]
    warned_nodes: Sequence[Json]


@dataclass(frozen=True, slots=True)
class Limits:
    """Freshness as configured: the office's today, its closed days, and the limit of each relation in business days."""

    today: date
    is_closed: IsClosed
    limit_for: Callable[[str], int | None]


def moment(at: datetime | None) -> str | None:
    """A moment as it stands in JSON."""
    return None if at is None else at.isoformat(timespec="seconds")


def assemble(
    ledger: LedgerFacts, daemon: DaemonFacts, limits: Limits, *, answered_by: str, version: str, at: datetime
) -> Json:
    """The whole answer, with the keys of ``qbwatch status --json``."""
    freshness = [_freshness(relation, limits) for relation in ledger.relations]
    problems = [*_daemon_problems(daemon), *_ledger_problems(ledger), *_freshness_problems(freshness)]
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
            "watch_alive": daemon.watch_alive,
            "events_missed": daemon.events_missed,
            "last_scan_at": moment(daemon.last_scan_at),
        },
        "pending": {
            "count": ledger.waiting_count + len(settling),
            "oldest_seen_at": moment(min(filter(None, (oldest, ledger.oldest_waiting_at)), default=None)),
            "files": settling + list(ledger.waiting),
        },
        "ignored": dict(daemon.ignored),
        "quarantined": list(ledger.quarantined),
        "current_run": ledger.current_run,
        "last_run": ledger.last_run,
        "last_success_at": moment(ledger.last_success_at),
        "freshness": freshness,
        "transform": {
            "debt": list(ledger.debt),
            "last_build_at": moment(ledger.last_build_at),
            "failed_nodes": list(ledger.failed_nodes),
        },
        "alerts": {"open_incidents": 0, "undelivered": 0},
    }


def health_of(problems: Sequence[Problem]) -> str:
    """``error`` when anything is wrong, ``warning`` when something wants a look, else ``ok``."""
    if any(problem.severity is Severity.ERROR for problem in problems):
        return "error"
    return "warning" if problems else "ok"


def from_cache(answer: Json, cached_at: datetime, problem: Problem, daemon: DaemonFacts | None, at: datetime) -> Json:
    """The last known answer, marked as such: ``as_of`` stays the moment at which it was true."""
    age = _age(at, cached_at)
    said = {**problem.to_json(), "summary": f"{problem.summary}; this is the last known answer, {age} old"}
    known = [entry for entry in answer["problems"] if entry["code"] not in ("database_down", "daemon_down")]
    state = daemon.state.value if daemon else DaemonState.DOWN.value
    pid, alive = (daemon.pid, daemon.watch_alive) if daemon else (None, None)
    return {
        **answer,
        "answered_by": "cache",
        "health": "error",
        "problems": [said, *known],
        "daemon": {**answer["daemon"], "state": state, "pid": pid, "watch_alive": alive},
    }


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


def _daemon_problems(daemon: DaemonFacts) -> list[Problem]:
    problems = list(daemon.problems)
    if daemon.state is DaemonState.DOWN:
        hint = "start it: `systemctl start qbwatch`, or `qbwatch run` in the foreground"
        problems.append(
            Problem("daemon_down", FailureClass.INFRASTRUCTURE, Severity.ERROR, "the daemon is not running", hint)
        )
    elif daemon.watch_alive is False:
        hint = "new files are still found by the periodic scan; see the journal"
        problems.append(
            Problem("watch_dead", FailureClass.INFRASTRUCTURE, Severity.ERROR, "the folder watch is dead", hint)
        )
    return problems


def _ledger_problems(ledger: LedgerFacts) -> list[Problem]:
    problems = [
        Problem(
            "quarantined_file",
            FailureClass(entry["class"] or FailureClass.DATA.value),
            Severity.ERROR,
            f"{entry['name']} is quarantined: {entry['reason']}",
            entry["hint"] or f"qbwatch why '{entry['name']}'",
            datetime.fromisoformat(entry["since"]),
            entry["name"],
        )
        for entry in ledger.quarantined
    ]
    if ledger.failed_nodes or ledger.debt_reason:
        summary = f"dbt failed: {ledger.debt_reason or ledger.failed_nodes[0]['message']}"
        hint = "the loaded data is safe; the marts are as before. See `qbwatch runs`, mend it, then `qbwatch once`"
        problems.append(Problem("transform_failed", FailureClass.DATA, Severity.ERROR, summary, hint))
    problems += [
        Problem(
            "data_test_warns",
            FailureClass.DATA,
            Severity.WARNING,
            f"{node['name']}: {node['message'] or 'a data test warns'}",
            "nothing is lost; look at the rows the test names",
        )
        for node in ledger.warned_nodes
    ]
    return problems


def _freshness_problems(freshness: Sequence[Json]) -> list[Problem]:
    return [
        Problem(
            "stale",
            FailureClass.MISSING_FILES,
            Severity.ERROR if entry["state"] == Freshness.STALE else Severity.WARNING,
            f"{entry['relation']} is {entry['age_business_days']} business days old",
            "did the exporter run, and did Dropbox sync?",
        )
        for entry in freshness
        if entry["state"] in (Freshness.WARN, Freshness.STALE)
    ]
