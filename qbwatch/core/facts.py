"""What the status is assembled from: facts of the daemon, of the ledger and of the calendar, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from qbwatch.core.expect import Expectation, Export, Week
from qbwatch.core.freshness import IsClosed
from qbwatch.core.model import DaemonState, Failure, FailureClass

Json = dict[str, Any]


class Severity(StrEnum):
    """How bad a problem is; the worst one is the health of the whole."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong and what a person can do about it.

    ``concerns``: the dataset or relation that it is about, where problems of one code are told apart by it.
    """

    code: str
    failure_class: FailureClass
    severity: Severity
    summary: str
    hint: str
    since: datetime | None = None
    file: str | None = None
    concerns: str = ""

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
class Pause:
    """Who paused the work, and when (None: the note of it can't be read)."""

    since: datetime | None
    by: str

    def to_json(self) -> Json:
        """The entry ``paused`` of the daemon."""
        return {"since": moment(self.since), "by": self.by}


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """What only the daemon knows of itself. ``requests``: what people asked for and isn't done, in its order;
    ``silence``: why one that is there gave no answer; ``node``: the one that dbt began last."""

    state: DaemonState
    pid: int | None = None
    started_at: datetime | None = None
    watcher: str | None = None
    polled_because: str | None = None
    watch_alive: bool | None = None
    events_missed: int = 0
    last_scan_at: datetime | None = None
    settling: Sequence[tuple[str, datetime]] = ()
    more_settling: int = 0  # beside those that are named
    sync_client: str | None = None  # the program that brings the files, as far as known
    ignored: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    paused: Pause | None = None
    requests: Sequence[Json] = ()
    silence: Failure | None = None
    node: Json | None = None


@dataclass(frozen=True, slots=True)
class RelationFacts:
    """A mart or dataset: its rows, and the office's day up to which it is complete (None: never loaded)."""

    relation: str
    rows: int | None
    current_through: date | None


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What Postgres knows. The lists hold rows of the ledger with the keys that the answer shows.

    ``held_up``: by each fault that passes, how many files wait for another try, since when, and why. ``arrivals``: the
    last moment of each recent day on which files arrived, oldest first. ``exports``: by dataset, those of the last
    months. ``known_since``: when the first file was seen.
    ``broken_channels``: alert services that refuse for good, since when, and why. ``unfolded``: datasets whose raw
    table was made anew and lacks what was loaded.
    """

    waiting_count: int
    oldest_waiting_at: datetime | None
    waiting: Sequence[Json]
    quarantined: Sequence[Json]
    current_run: Json | None
    last_run: Json | None
    last_success_at: datetime | None
    relations: Sequence[RelationFacts]
    debt: Sequence[str]
    debt_failure: Failure | None
    last_build_at: datetime | None
    failed_nodes: Sequence[Json]
    warned_nodes: Sequence[Json]
    held_up: Sequence[Json] = ()
    arrivals: Sequence[datetime] = ()
    exports: Mapping[str, Sequence[Export]] = field(default_factory=dict)
    known_since: datetime | None = None
    broken_channels: Sequence[Json] = ()
    unfolded: Sequence[str] = ()
    alerts: Json = field(default_factory=lambda: {"open_incidents": 0, "undelivered": 0})


@dataclass(frozen=True, slots=True)
class Limits:
    """What is configured: the office's today, its closed days, the limit of each relation in business days, and the
    exports that should arrive (None: that dataset is never expected)."""

    today: date
    is_closed: IsClosed
    limit_for: Callable[[str], int | None]
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    expected: Mapping[str, Expectation | None] = field(default_factory=dict)

    @property
    def week(self) -> Week:
        """The office's calendar."""
        return Week(self.zone, self.is_closed)


def moment(at: datetime | None) -> str | None:
    """A moment as it stands in JSON."""
    return None if at is None else at.isoformat(timespec="seconds")
