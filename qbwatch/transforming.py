"""The second half of a run: dbt builds what loaded data owes, and the debt of a dataset is cleared by what was built.

Exactly the datasets whose rows changed are selected, with everything downstream of them; a full refresh builds all. A
dataset is paid when all that stands on it was reported as built and tested, whatever became of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from qbwatch.core.failure import pause_before
from qbwatch.core.model import Failure, FailureClass
from qbwatch.edges import dbt_history, runs
from qbwatch.edges.dbt import Outcome, TransformResult
from qbwatch.edges.dbt_relations import absent
from qbwatch.edges.impact import impact_of
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing
from qbwatch.progress import Progress

log = get_logger(__name__)


class Transformer(Protocol):
    """Builds models: `qbwatch.edges.dbt.Dbt`."""

    @property
    def target_schema(self) -> str:
        """Gives the marts' schema its name."""
        ...

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
        built = self.dbt.build(select, full_refresh=full, should_stop=self._should_stop)
        if select and self._stands_on_gaps(built):
            built = self.dbt.build((), should_stop=self._should_stop)
        passing(Moment.DBT_DONE)
        result = _unless_there_is_nothing_to_build(built, owed)
        self._settle(owed, result, full=full)
        log.info("transformed", run=self.progress.run_id, outcome=result.outcome.value,
                 seconds=round(result.seconds, 1), nodes=len(result.nodes), message=result.message,
                 cold_because=result.cold_because)  # fmt: skip
        return result

    def build_selected(self, select: Sequence[str], *, full: bool) -> TransformResult:
        """Build what a person named, by dbt's own selection; what is owed stays owed."""
        result = self.dbt.build(select, full_refresh=full, should_stop=self._should_stop)
        self._settle([], result, full=full)
        if not result.succeeded and result.outcome is not Outcome.CANCELLED:
            self.progress.failures.append(f"dbt: {result.message}")
        return result

    def _should_stop(self) -> bool:
        passing(Moment.DBT_RUNS)
        return self.should_stop()

    def _was_built(self) -> bool:
        """Before the first build, what a selection leaves out doesn't exist, and what is selected stands on it."""
        with self.connection.begin():
            return dbt_history.was_built(self.connection)

    def _stands_on_gaps(self, result: TransformResult) -> bool:
        """Whether a selection isn't enough: after an upgrade of the project what it stands on may never have been
        built, and what was built may be gone, with its schema, or because somebody dropped or restored something."""
        if result.outcome is Outcome.CANCELLED:
            return False
        models = {name for readers in result.readers.values() for name in readers if name.startswith("model.")}
        built = {node.unique_id for node in result.nodes if node.is_good}
        with self.connection.begin():
            return bool(
                dbt_history.never_built(self.connection, sorted(models - built)) or absent(self.connection, result)
            )

    def _settle(self, owed: Sequence[runs.Debt], result: TransformResult, *, full: bool) -> None:
        at = self.now()
        unpaid = [debt for debt in owed if result.outcome is Outcome.CANCELLED or not result.pays(debt.dataset)]
        paid = [debt.id for debt in owed if debt not in unpaid]
        with self.connection.begin():
            dbt_history.record_nodes(self.connection, self.progress.run_id, result, at)
            if result.succeeded and (impact := impact_of(self.connection, self.dbt.target_schema, paid)):
                log.info("marts are current", run=self.progress.run_id, impact=impact)
                self.progress.impact = impact
            runs.clear_debts(self.connection, paid)
            if result.outcome is Outcome.CANCELLED:
                self.progress.stopped = True
            elif unpaid:
                self._postpone(unpaid, result, at, full=full)
        passing(Moment.DEBT_CLEARED)

    def _postpone(self, unpaid: Sequence[runs.Debt], result: TransformResult, at: datetime, *, full: bool) -> None:
        failure = _left_out(unpaid) if result.succeeded else result.failure()
        attempt = 1 + max(debt.attempt for debt in unpaid)
        again_at = at + pause_before(attempt) if result.is_transient or result.succeeded else None
        runs.postpone_debts(self.connection, [debt.id for debt in unpaid], failure, again_at, full_refresh=full)
        self.progress.failures.append(f"dbt: {failure.reason}")


def _left_out(unpaid: Sequence[runs.Debt]) -> Failure:
    names = ", ".join(sorted({debt.dataset for debt in unpaid}))
    return Failure(
        FailureClass.CONFIGURATION,
        "left_out",
        f"dbt reported success and left out models that stand on {names}",
        "it is tried again by itself; if it stays so, look at what the project's models are selected by",
    )


def _unless_there_is_nothing_to_build(result: TransformResult, owed: Sequence[runs.Debt]) -> TransformResult:
    """To dbt a selection without a model is a mistake; not where the project leaves just these datasets out."""
    names = sorted({debt.dataset for debt in owed})
    if result.nodes or not all(result.leaves_out(name) for name in names):
        return result
    return replace(result, outcome=Outcome.BUILT, message=f"no model reads {', '.join(names)}", hint="")
