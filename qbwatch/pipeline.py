"""One run, from top to bottom: plan → load → transform → announce.

The pipeline and intake meet only in the work table. Each item is loaded in one transaction of its own, so a failure
of one file stops neither the other files nor the other datasets; only a lost database ends the run early.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.failure import of_errno, pause_before, unexpected
from qbwatch.core.model import Failure, FailureClass, Mode, Reject, RowCounts, RunStatus, WorkItem
from qbwatch.core.plan import Facts, Plan, make_plan
from qbwatch.datasets import datasets
from qbwatch.edges import runs, store
from qbwatch.edges.clock import utc_now
from qbwatch.edges.dbt import Dbt, Outcome, TransformResult
from qbwatch.edges.loader import Loader, LoadRefused, LoadStopped
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of, is_lost
from qbwatch.edges.vault import VaultError
from qbwatch.formats.refusal import Refusal
from qbwatch.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a person narrowed a run to: one dataset, or single files by their ids in the ledger."""

    dataset: str | None = None
    file_ids: frozenset[int] | None = None

    def holds(self, item: WorkItem) -> bool:
        """Whether the item is within the scope."""
        if self.file_ids is not None and item.file_id not in self.file_ids:
            return False
        return self.dataset in (None, item.dataset)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: its id, mode, status, files by state, accounting, what dbt said, and the first error."""

    run_id: int
    mode: Mode
    status: RunStatus
    loaded: int
    set_aside: int
    rows: RowCounts
    transform: TransformResult | None
    error: str | None


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
class _Progress:
    """What a run has done so far."""

    run_id: int
    total: int
    done: int = 0
    loaded: int = 0
    failures: list[str] = field(default_factory=list)
    rows: RowCounts = field(default_factory=RowCounts)
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Runs plans over one connection. ``should_stop`` ends a run between items, within COPY and within dbt; ``changed``
    is told each step."""

    loader: Loader
    dbt: Dbt
    should_stop: Callable[[], bool]
    changed: Callable[[Step], None] = lambda _: None
    now: Callable[[], datetime] = utc_now

    def facts(self, connection: Connection, scope: Scope = EVERYTHING, *, asked: bool = False) -> Facts:
        """What the next plan would rest on, within the scope. ``asked``: a person wants it now, so a dbt that failed
        is tried again although nothing says that another try would help."""
        at = self.now()
        with connection.begin():
            due = [item for item in store.due_items(connection, at) if scope.holds(item)]
            waiting = [item for item in store.open_items(connection) if scope.holds(item)]
            owed = [debt for debt in runs.debts(connection) if scope.dataset in (None, debt.dataset)]
            has_loaded = store.has_loaded(connection, "quickbooks")
        payable = [
            debt for debt in owed if asked or debt.attempt == 0 or (debt.next_attempt_at and debt.next_attempt_at <= at)
        ]
        return Facts(has_loaded, due, sorted({debt.dataset for debt in payable}), len(waiting) - len(due))

    def plan(
        self, connection: Connection, force: Mode | None = None, scope: Scope = EVERYTHING, *, asked: bool = False
    ) -> Plan | None:
        """The run that would be done now, by itself or because a person ``asked``; None when all is current."""
        ranks = {name: known.rank for name, known in datasets().items()}
        return make_plan(self.facts(connection, scope, asked=asked), ranks, force)

    def run(self, connection: Connection, plan: Plan) -> RunOutcome:
        """Do a plan. Raises a database error only when the database is lost; the next start closes the run."""
        with connection.begin():
            run_id = runs.start_run(connection, plan.mode, plan.why, len(plan.items), self.now())
        log.info("run started", run=run_id, mode=plan.mode.value, why=plan.why)
        progress = _Progress(run_id, len(plan.items))
        self._load(connection, plan, progress)
        transform = None if progress.stopped else self._transform(connection, progress, full=plan.full_refresh)
        return self._announce(connection, plan, progress, transform)

    # load

    def _load(self, connection: Connection, plan: Plan, progress: _Progress) -> None:
        for item in plan.items:
            if self.should_stop():
                progress.stopped = True
                return
            self._show(connection, progress, "load", item)
            self._load_item(connection, item, progress)
            progress.done += 1
        if plan.refold_all and not progress.stopped:
            self._refold_all(connection, progress)

    def _load_item(self, connection: Connection, item: WorkItem, progress: _Progress) -> None:
        with connection.begin():
            claimed = store.claim(connection, item.id, progress.run_id, self.now())
        if claimed is None:
            return
        try:
            with connection.begin():
                rows = self._fold_in(connection, claimed)
        except LoadStopped:
            progress.stopped = True
            with connection.begin():
                store.put_back(connection, claimed.id, self.now())
        except (Refusal, LoadRefused) as refused:
            rejects = refused.rejects if isinstance(refused, LoadRefused) else ()
            self._set_aside(connection, claimed, refused.failure, progress, rejects)
        except DATABASE_ERRORS as error:
            if is_lost(connection):
                raise
            self._set_aside(connection, claimed, failure_of(error), progress)
        except VaultError as error:
            failure = Failure(FailureClass.INFRASTRUCTURE, "vault", error.message, error.hint)
            self._set_aside(connection, claimed, failure, progress)
        except OSError as error:
            self._set_aside(connection, claimed, of_errno(error.errno, error.strerror or str(error)), progress)
        except Exception as error:
            log.exception("a fault of qbwatch while loading", run=progress.run_id, file=claimed.name)
            self._set_aside(connection, claimed, unexpected(error), progress)
        else:
            progress.loaded += 1
            progress.rows += rows
            log.info("loaded", run=progress.run_id, file=claimed.name, dataset=claimed.dataset, rows=rows.read,
                     written=rows.written, rejected=rows.rejected)  # fmt: skip

    def _fold_in(self, connection: Connection, item: WorkItem) -> RowCounts:
        """Rows, ledger entry and owed dbt work of one item, in the caller's transaction."""
        at = self.now()
        name = item.dataset
        if name is None:
            name = self.loader.open(item).layout.dataset.full_name
            store.set_dataset(connection, item.id, name)
            item = replace(item, dataset=name)
        return self._fold_known(connection, item, name, at)

    def _fold_known(self, connection: Connection, item: WorkItem, name: str, at: datetime) -> RowCounts:
        store.supersede_older_versions(connection, item, at)
        place = store.place_of(connection, item)
        if place.is_late or place.has_superseded:
            items = store.in_fold_order([*store.folded_items(connection, name), item])
            result, touched = self.loader.refold(connection, datasets()[name], items, item, at)
        else:
            result = self.loader.append(connection, item, at)
            touched = result.rows.written
        store.finish(connection, item, result, at)
        if place.is_late or place.has_superseded:
            store.set_folded(connection, name)
        if touched:
            runs.owe(connection, [name], item.id, full_refresh=False, at=at)
        return result.rows

    def _set_aside(
        self,
        connection: Connection,
        item: WorkItem,
        failure: Failure,
        progress: _Progress,
        rejects: Sequence[Reject] = (),
    ) -> None:
        """Retry later what isn't the file's fault; everything else waits for a person."""
        at = self.now()
        with connection.begin():
            if failure.is_transient:
                store.defer(connection, item.id, failure, at + pause_before(item.attempt), at)
            else:
                store.quarantine(connection, item.id, failure, at)
                store.record_rejects(connection, item.id, rejects)
        progress.failures.append(f"{item.name}: {failure.reason}")
        log.warning("set aside", run=progress.run_id, file=item.name, dataset=item.dataset, code=failure.code,
                    failure_class=failure.failure_class.value, transient=failure.is_transient)  # fmt: skip

    def _refold_all(self, connection: Connection, progress: _Progress) -> None:
        """Fold every dataset anew from the vault, one transaction each."""
        for name, dataset in datasets().items():
            if self.should_stop():
                progress.stopped = True
                return
            with connection.begin():
                at = self.now()
                items = store.folded_items(connection, name)
                if items:
                    _, touched = self.loader.refold(connection, dataset, items, None, at)
                    store.set_folded(connection, name)
                    log.info("folded anew", run=progress.run_id, dataset=name, files=len(items), touched=touched)
                runs.owe(connection, [name], None, full_refresh=True, at=at)

    # transform

    def _transform(self, connection: Connection, progress: _Progress, *, full: bool) -> TransformResult | None:
        with connection.begin():
            owed = runs.debts(connection)
        if not owed:
            return None
        self._show(connection, progress, "transform", None)
        full = full or any(debt.full_refresh for debt in owed)
        select = [] if full else [f"source:{name}+" for name in sorted({debt.dataset for debt in owed})]
        result = self.dbt.build(select, full_refresh=full, should_stop=self.should_stop)
        self._settle_debts(connection, owed, result, progress, full=full)
        return result

    def _settle_debts(
        self,
        connection: Connection,
        owed: Sequence[runs.Debt],
        result: TransformResult,
        progress: _Progress,
        *,
        full: bool,
    ) -> None:
        at, ids = self.now(), [debt.id for debt in owed]
        with connection.begin():
            runs.record_nodes(connection, progress.run_id, result.invocation_id, result.nodes, at)
            if result.succeeded:
                runs.clear_debts(connection, ids)
            elif result.outcome is Outcome.CANCELLED:
                progress.stopped = True
            else:
                attempt = 1 + max(debt.attempt for debt in owed)
                again_at = at + pause_before(attempt) if result.is_transient else None
                runs.postpone_debts(connection, ids, result.message, again_at, full_refresh=full)
        if not result.succeeded and result.outcome is not Outcome.CANCELLED:
            progress.failures.append(f"dbt: {result.message}")
        log.info("transformed", run=progress.run_id, outcome=result.outcome.value, seconds=round(result.seconds, 1),
                 nodes=len(result.nodes), message=result.message)  # fmt: skip

    # announce

    def _announce(
        self, connection: Connection, plan: Plan, progress: _Progress, transform: TransformResult | None
    ) -> RunOutcome:
        status = _status(progress, transform)
        error = progress.failures[0] if progress.failures else None
        if len(progress.failures) > 1:
            error = f"{error} (and {len(progress.failures) - 1} more)"
        with connection.begin():
            runs.end_run(connection, progress.run_id, status, error, self.now())
        self.changed(Step(progress.run_id, "announce", progress.done, progress.total))
        log.info("run ended", run=progress.run_id, status=status.value, loaded=progress.loaded,
                 set_aside=len(progress.failures))  # fmt: skip
        set_aside = progress.done - progress.loaded
        return RunOutcome(
            progress.run_id, plan.mode, status, progress.loaded, set_aside, progress.rows, transform, error
        )

    def _show(self, connection: Connection, progress: _Progress, name: str, item: WorkItem | None) -> None:
        dataset, file = (item.dataset, item.name) if item else (None, None)
        step = Step(progress.run_id, name, progress.done, progress.total, dataset, file)
        with connection.begin():
            runs.show_progress(connection, step.run_id, step=name, done=step.done, dataset=dataset, file=file)
        self.changed(step)


def _status(progress: _Progress, transform: TransformResult | None) -> RunStatus:
    if progress.stopped:
        return RunStatus.CANCELLED
    if not progress.failures:
        return RunStatus.SUCCESS
    something_worked = progress.loaded > 0 or (transform is not None and transform.succeeded)
    return RunStatus.PARTIAL_FAILURE if something_worked else RunStatus.ERROR
