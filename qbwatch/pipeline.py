"""One run, from top to bottom: plan → load → transform → announce.

The pipeline and intake meet only in the work table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.failure import is_due
from qbwatch.core.model import Mode, RowCounts, RunStatus, WorkItem
from qbwatch.core.plan import Facts, Plan, make_plan
from qbwatch.datasets import datasets
from qbwatch.edges import runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.dbt import TransformResult
from qbwatch.edges.loader import Loader
from qbwatch.loading import Loading
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing
from qbwatch.progress import Progress, Step
from qbwatch.transforming import Transformer, Transforming

__all__ = ["EVERYTHING", "Pipeline", "RunOutcome", "Scope", "Step"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about: one dataset, or single files by their ids in the ledger.

    ``asked``: a person wants it now, so what waits for a later try, or for new data, is due as well.
    """

    dataset: str | None = None
    file_ids: frozenset[int] | None = None
    asked: bool = False

    def holds(self, item: WorkItem) -> bool:
        """Whether the item is within the scope."""
        if self.file_ids is not None and item.file_id not in self.file_ids:
            return False
        return self.dataset in (None, item.dataset)

    def is_due(self, debt: runs.Debt, at: datetime) -> bool:
        """Whether the dbt work is within the scope and to be done now."""
        if self.dataset not in (None, debt.dataset):
            return False
        if self.asked or debt.attempt == 0:
            return True
        return debt.next_attempt_at is not None and is_due(debt.next_attempt_at, at)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: its id, mode, status, files by state, accounting, what dbt said and did, and the first error."""

    run_id: int
    mode: Mode
    status: RunStatus
    loaded: int
    set_aside: int
    rows: RowCounts
    transform: TransformResult | None
    error: str | None
    impact: str | None = None


def facts_for(connection: Connection, scope: Scope, at: datetime) -> Facts:
    """What the next plan rests on, within the scope, in the caller's transaction."""
    open_items = store.open_items(connection) if scope.asked else store.due_items(connection, at)
    return Facts(
        has_loaded=store.has_loaded(connection, "quickbooks"),
        due=[item for item in open_items if scope.holds(item)],
        owed=sorted({debt.dataset for debt in runs.debts(connection) if scope.is_due(debt, at)}),
        refused=[item for item in store.refused_items(connection) if scope.holds(item)],
    )


def plan_for(facts: Facts, scope: Scope, force: Mode | None) -> Plan | None:
    """The run that follows from the facts, or None when all is current."""
    ranks = {name: known.rank for name, known in datasets().items()}
    plan = make_plan(facts, ranks, force)
    return None if plan is None else replace(plan, only=scope.dataset)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Runs plans over one connection. ``should_stop`` ends a run between items, within COPY and within dbt,
    ``ends_after_step`` only between them; ``changed`` is told each step."""

    loader: Loader
    dbt: Transformer
    should_stop: Callable[[], bool]
    changed: Callable[[Step], None] = lambda _: None
    now: Callable[[], datetime] = utc_now
    ends_after_step: Callable[[], bool] = bool

    def plan(self, connection: Connection, force: Mode | None = None, scope: Scope = EVERYTHING) -> Plan | None:
        """The run that would be done now, or None when all is current."""
        with connection.begin():
            facts = facts_for(connection, scope, self.now())
        return plan_for(facts, scope, force)

    def run(self, connection: Connection, plan: Plan) -> RunOutcome:
        """Do a plan. Raises one of `DATABASE_ERRORS` only when the database itself is lost; the run is closed at the
        next start."""
        with connection.begin():
            run_id = runs.start_run(connection, plan.mode, plan.why, len(plan.items), self.now())
        log.info("run started", run=run_id, mode=plan.mode.value, why=plan.why)
        passing(Moment.RUN_STARTED)
        progress = Progress(run_id, len(plan.items))
        self._report_refused(connection, plan, progress)
        self._load(connection, plan, progress)
        transform = None if progress.stopped else self._transform(connection, progress, full=plan.full_refresh)
        return self._announce(connection, plan, progress, transform)

    def _report_refused(self, connection: Connection, plan: Plan, progress: Progress) -> None:
        """Files that were set aside as soon as they came are failures of this run, and of no other."""
        with connection.begin():
            refused = store.report_refused(connection, [item.id for item in plan.refused], progress.run_id)
        progress.set_aside += len(refused)
        progress.failures += [f"{name}: {reason}" for name, reason in refused]

    def _load(self, connection: Connection, plan: Plan, progress: Progress) -> None:
        loading = Loading(connection, self.loader, self.now, progress, plan.full_refresh)
        for batch in loading.batches(plan.items):
            if self._is_stopped(progress):
                return
            self._show(connection, progress, "load", batch[0])
            loading.load(batch)
            progress.done += 0 if progress.stopped else len(batch)
        for name, dataset in datasets().items() if plan.refold_all else ():
            if self._is_stopped(progress):
                return
            if plan.only in (None, name):
                loading.refold(dataset)

    def _is_stopped(self, progress: Progress) -> bool:
        progress.stopped = progress.stopped or self.should_stop() or self.ends_after_step()
        return progress.stopped

    def _transform(self, connection: Connection, progress: Progress, *, full: bool) -> TransformResult | None:
        transforming = Transforming(connection, self.dbt, self.should_stop, self.now, progress)
        owed = transforming.owed()
        if not owed or self._is_stopped(progress):
            return None
        self._show(connection, progress, "transform", None)
        return transforming.pay(owed, full=full)

    def _announce(
        self, connection: Connection, plan: Plan, progress: Progress, transform: TransformResult | None
    ) -> RunOutcome:
        status = progress.status(transformed=transform is not None and transform.succeeded)
        with connection.begin():
            runs.end_run(connection, progress.run_id, status, progress.error, self.now())
        passing(Moment.RUN_FINISHED)
        self.changed(Step(progress.run_id, "announce", progress.done, progress.total))
        log.info("run ended", run=progress.run_id, status=status.value, loaded=progress.loaded,
                 set_aside=progress.set_aside)  # fmt: skip
        return RunOutcome(
            run_id=progress.run_id,
            mode=plan.mode,
            status=status,
            loaded=progress.loaded,
            set_aside=progress.set_aside,
            rows=progress.rows,
            transform=transform,
            error=progress.error,
            impact=progress.impact,
        )

    def _show(self, connection: Connection, progress: Progress, name: str, item: WorkItem | None) -> None:
        dataset, file = (item.dataset, item.name) if item else (None, None)
        step = Step(progress.run_id, name, progress.done, progress.total, dataset, file)
        with connection.begin():
            runs.show_progress(connection, step.run_id, step=name, done=step.done, dataset=dataset, file=file)
        self.changed(step)
