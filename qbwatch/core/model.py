"""The nouns of qbwatch: states, classes of failure, and the values that travel between the steps.

One vocabulary serves the code, the tables, the JSON and the documentation; the values of the enumerations are the
words that stand in the database and in the answers, so they never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from qbwatch.core.period import Period


class QbwatchError(Exception):
    """An expected failure that ends what was asked: one line of what happened, one of what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ItemState(StrEnum):
    """State of a work item: ``pending`` → ``loading`` → ``loaded``; the other three are its detours and ends."""

    PENDING = "pending"
    LOADING = "loading"
    LOADED = "loaded"
    RETRYING = "retrying"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"


class RunStatus(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL_FAILURE = "partial_failure"
    ERROR = "error"
    CANCELLED = "cancelled"


class DaemonState(StrEnum):
    """What the daemon is doing; ``down`` is said by whoever asked and got no answer."""

    STARTING = "starting"
    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    DOWN = "down"


class Mode(StrEnum):
    """Why a run runs: first load, new files, or something left unfinished."""

    SEED = "seed"
    INCREMENTAL = "incremental"
    REPAIR = "repair"


class FailureClass(StrEnum):
    """Whose fault a failure is, hence who has to act."""

    DATA = "data"
    INFRASTRUCTURE = "infrastructure"
    CONFIGURATION = "configuration"
    MISSING_FILES = "missing_files"


class RowClass(StrEnum):
    """What a row of a file is. Only a ``detail`` is a record; the others give it its place, or check it."""

    PREAMBLE = "preamble"
    HEADER = "header"
    BLANK = "blank"
    SECTION = "section"
    DETAIL = "detail"
    MEMBER = "member"  # of a group: listed again to say that it belongs to it, not as a new value
    OTHER_KIND = "other_kind"  # of a record that isn't loaded
    BEGINNING_BALANCE = "beginning_balance"
    TRANSACTION_TOTAL = "transaction_total"
    SUBTOTAL = "subtotal"
    GRAND_TOTAL = "grand_total"
    FOOTER = "footer"


class AsOfBasis(StrEnum):
    """Where a file's ``as_of`` came from, best first."""

    NAME = "name"
    CONTENT = "content"
    MTIME = "mtime"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as a value: its class, a stable code, one line for a person, and what that person can do."""

    failure_class: FailureClass
    code: str
    reason: str
    hint: str = ""

    @property
    def is_transient(self) -> bool:
        """True when trying again without a person can help: only faults of the infrastructure."""
        return self.failure_class is FailureClass.INFRASTRUCTURE


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What became of a part's rows: ``read = structural + inserted + updated + unchanged + rejected``.

    ``removed`` counts table rows that the part made vanish; they were not read, so they stand outside the equation.
    """

    read: int = 0
    structural: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0

    @property
    def accepted(self) -> int:
        """Rows of the part that are in the table, or would be."""
        return self.inserted + self.updated + self.unchanged

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.read + other.read,
            self.structural + other.structural,
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
            self.rejected + other.rejected,
        )

    @property
    def balances(self) -> bool:
        """True when every row that was read is accounted for, and by no negative number."""
        if min(self.structural, self.inserted, self.updated, self.unchanged, self.removed, self.rejected) < 0:
            return False
        return self.read == self.structural + self.inserted + self.updated + self.unchanged + self.rejected

    @property
    def written(self) -> int:
        """Table rows that changed."""
        return self.inserted + self.updated + self.removed


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: file line (1-based), column header, the offending text, and why."""

    line: int
    column: str | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One part waiting to be loaded, as the work table holds it.

    ``dataset`` is the full name (``quickbooks.invoices``), None for a file that fitted none when it came. ``answers``
    is what a person answered to questions about it, kept so that no later fold asks again.
    """

    id: int
    file_id: int
    dataset: str | None
    sheet: str | None
    content_hash: str
    size_bytes: int
    name: str
    as_of: datetime
    is_full: bool
    state: ItemState
    attempt: int
    first_seen_at: datetime
    deferrals: int = 0
    answers: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_new(self) -> bool:
        """True when it was never tried."""
        return self.attempt == 0 and self.deferrals == 0

    def accepts(self, code: str) -> bool:
        """Whether a person overrode the hold of this code."""
        return code in self.answers.get("accepted", ())

    def claimed(self) -> WorkItem:
        """The same item while it is being loaded; the attempt counts from the claim, so that a crash counts too."""
        return replace(self, state=ItemState.LOADING, attempt=self.attempt + 1)


Sums = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows in which a part differs from the earlier file of the same statement: ``file_id`` and shown name of that."""

    file_id: int
    name: str
    changed: int
    new: int
    gone: int


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What loading one part did: accounting, money sums by column (exact), and the rejected rows.

    ``period`` is what a report speaks for and ``report`` its title, None for any other part; ``difference`` how the
    part differs from the earlier file that it replaces, None where it replaces none.
    """

    rows: RowCounts
    sums: Sums = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = ()
    period: Period | None = None
    difference: Difference | None = None
    report: str | None = None
