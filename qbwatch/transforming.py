"""The second half of a run: dbt builds what loaded data owes; only a build that succeeds clears the debt.

Exactly the datasets whose rows changed are selected, with everything downstream of them; a full refresh builds all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from qbwatch.core.failure import pause_before
from qbwatch.edges import runs
from qbwatch.edges.dbt import Outcome, TransformResult
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing
from qbwatch.progress import Progress

log = get_logger(__name__)


class Transformer(Protocol):
    """Builds models: `qbwatch.edges.dbt.Dbt`."""

    def build(
        self, select: Sequence[str] = (), full_refresh: bool = False, should_stop: Callable[[], bool] = ...
    ) -> TransformResult:
        """Build and test; trouble is in the result."""
        ...


@dataclass(frozen=True, slots=True)
class Transforming:
    """Pays over one connection what is owed, outside of any transaction while dbt runs."""

    connection: Connection
    dbt: Transformer
    should_stop: Callable[[], bool]
    now: Callable[[], datetime]
    progress: Progress

    def owed(self) -> list[runs.Debt]:
        """Everything that is owed, also what waits: new data is a reason to try again."""
        with self.connection.begin():
            return runs.debts(self.connection)

    def pay(self, owed: Sequence[runs.Debt], *, full: bool) -> TransformResult:
        """Build what is owed, and note in the ledger what came of it."""
        full = full or any(debt.full_refresh for debt in owed) or not self._was_built()
        select = [] if full else [f"source:{name}+" for name in sorted({debt.dataset for debt in owed})]
        passing(Moment.DBT_STARTS)
        result = self.dbt.build(select, full_refresh=full, should_stop=self._should_stop)
        passing(Moment.DBT_DONE)
        self._settle(owed, result, full=full)
        log.info("transformed", run=self.progress.run_id, outcome=result.outcome.value,
                 seconds=round(result.seconds, 1), nodes=len(result.nodes), message=result.message)  # fmt: skip
        return result

    def _should_stop(self) -> bool:
        passing(Moment.DBT_RUNS)
        return self.should_stop()

    def _was_built(self) -> bool:
        """Before the first build, what a selection leaves out doesn't exist, and what is selected stands on it."""
        with self.connection.begin():
            return runs.was_built(self.connection)

    def _settle(self, owed: Sequence[runs.Debt], result: TransformResult, *, full: bool) -> None:
        at, ids = self.now(), [debt.id for debt in owed]
        with self.connection.begin():
            runs.record_nodes(self.connection, self.progress.run_id, result.invocation_id, result.nodes, at)
            if result.succeeded:
                runs.clear_debts(self.connection, ids)
            elif result.outcome is Outcome.CANCELLED:
                self.progress.stopped = True
            else:
                attempt = 1 + max(debt.attempt for debt in owed)
                again_at = at + pause_before(attempt) if result.is_transient else None
                runs.postpone_debts(self.connection, ids, result.message, again_at, full_refresh=full)
                self.progress.failures.append(f"dbt: {result.message}")
        passing(Moment.DEBT_CLEARED)
