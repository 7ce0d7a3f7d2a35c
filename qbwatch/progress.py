"""How far is a run, and what came of it until now?"""

from __future__ import annotations

from dataclasses import dataclass, field

from qbwatch.core.model import RowCounts, RunStatus


@dataclass(frozen=True, slots=True)
class Step:
    """Where a run is: items done of ``total``, and what is being worked on. ``step`` is load, transform or announce."""

    run_id: int
    step: str
    done: int
    total: int
    dataset: str | None = None
    file: str | None = None


@dataclass(slots=True)
class Progress:
    """What a run has done so far; its steps write into it."""

    run_id: int
    total: int
    done: int = 0
    loaded: int = 0
    set_aside: int = 0
    failures: list[str] = field(default_factory=list)
    rows: RowCounts = field(default_factory=RowCounts)
    stopped: bool = False
    impact: str | None = None  # what dbt's build did for the marts, in a line

    def status(self, *, transformed: bool) -> RunStatus:
        """How the run ends. ``transformed``: dbt was asked and succeeded."""
        if self.stopped:
            return RunStatus.CANCELLED
        if not self.failures:
            return RunStatus.SUCCESS
        return RunStatus.PARTIAL_FAILURE if self.loaded or transformed else RunStatus.ERROR

    @property
    def error(self) -> str | None:
        """The first failure, and how many more there were."""
        if not self.failures:
            return None
        more = len(self.failures) - 1
        return self.failures[0] + (f" (and {more} more)" if more else "")
