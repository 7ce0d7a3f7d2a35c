"""The first half of a run: load item after item, each in a transaction of its own.

Rows, ledger entry and owed dbt work of an item commit together or not at all. A failure of one file stops neither the
other files nor the other datasets; only a lost database ends the run, and then everything unfinished rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.failure import of_errno, pause_before
from qbwatch.core.filename import part_name
from qbwatch.core.holds import questions
from qbwatch.core.model import Difference, Failure, FailureClass, LoadResult, Reject, RowCounts, WorkItem
from qbwatch.datasets import Dataset, datasets
from qbwatch.edges import places, runs, statements, store
from qbwatch.edges.difference import difference
from qbwatch.edges.fold import Applied
from qbwatch.edges.loader import Loader, LoadRefused, LoadStopped
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of, is_lost
from qbwatch.edges.vault import VaultError
from qbwatch.formats.refusal import Refusal
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing
from qbwatch.progress import Progress

log = get_logger(__name__)

# What may go wrong with one item without ending the run. Everything else is a bug.
_EXPECTED: tuple[type[Exception], ...] = (Refusal, LoadRefused, VaultError, OSError, *DATABASE_ERRORS)


@dataclass(frozen=True, slots=True)
class Loading:
    """Loads over one connection. ``full_refresh``: what is loaded owes dbt a full build, also after a crash."""

    connection: Connection
    loader: Loader
    now: Callable[[], datetime]
    progress: Progress
    full_refresh: bool = False

    def load(self, item: WorkItem) -> None:
        """Load one item and note what came of it. Raises only when the database is lost."""
        with self.connection.begin():
            claimed = store.claim(self.connection, item.id, self.progress.run_id, self.now())
        if claimed is None:
            return
        passing(Moment.CLAIMED)
        try:
            with self.connection.begin():
                rows = self._fold_in(claimed)
                passing(Moment.BEFORE_COMMIT)
        except LoadStopped:
            self._put_back(claimed)
        except _EXPECTED as error:
            if is_lost(self.connection):
                raise
            if self.loader.should_stop():  # its statement was cancelled for that
                self._put_back(claimed)
            else:
                self._set_aside(claimed, error)
        else:
            passing(Moment.AFTER_COMMIT)
            self.progress.loaded += 1
            self.progress.rows += rows
            log.info("loaded", run=self.progress.run_id, file=claimed.name, dataset=claimed.dataset, rows=rows.read,
                     written=rows.written, rejected=rows.rejected)  # fmt: skip

    def refold(self, dataset: Dataset) -> None:
        """Fold a dataset anew from the vault; should that fail, its raw table stays as it is."""
        try:
            with self.connection.begin():
                self._refold(dataset)
        except LoadStopped:
            self.progress.stopped = True
        except _EXPECTED as error:
            if is_lost(self.connection):
                raise
            if self.loader.should_stop():
                self.progress.stopped = True
                return
            failure = failure_behind(error)
            self.progress.failures.append(f"{dataset.full_name}: {failure.reason}")
            log.warning("not folded anew", run=self.progress.run_id, dataset=dataset.full_name, code=failure.code,
                        reason=failure.reason)  # fmt: skip

    def _fold_in(self, item: WorkItem) -> RowCounts:
        """Rows, ledger entry and owed dbt work of one item, in the caller's transaction."""
        name = item.dataset
        if name is None:  # nothing fitted it when it came; a person asked for another try
            name = self.loader.open(item).layout.dataset.full_name
            store.set_dataset(self.connection, item.id, name)
            item = replace(item, dataset=name)
        return self._fold_known(item, datasets()[name])

    def _fold_known(self, item: WorkItem, dataset: Dataset) -> RowCounts:
        at, name = self.now(), dataset.full_name
        others = places.supersede_older_versions(self.connection, item, at)
        place = places.place_of(self.connection, item)
        is_anew = place.is_late or place.has_superseded
        if is_anew:
            items = store.in_fold_order([*store.folded_items(self.connection, name), item])
            result, applied = self.loader.refold(self.connection, dataset, items, item, at)
            touched = applied.touched
        else:
            result = self.loader.append(self.connection, item, at)
            touched = result.rows.written
        self._ask(item, result, dataset)
        result = replace(result, difference=self._difference(item, result, at, is_staged=not is_anew))
        store.finish(self.connection, item, result, at)
        if is_anew:
            store.set_folded(self.connection, name)
        if touched:
            runs.owe(self.connection, [name], item.id, full_refresh=self.full_refresh, at=at)
        for other in others:
            fold_anew(self.connection, self.loader, datasets()[other], at)
        return result.rows

    def _ask(self, item: WorkItem, result: LoadResult, dataset: Dataset) -> None:
        """Hold a part that says something surprising, unless a person has answered. Raises `LoadRefused`."""
        new = statements.said_by(item, result, dataset.kind)
        before = statements.before(self.connection, item, new, dataset)
        for failure in questions(new, before):
            if not item.accepts(failure.code):
                raise LoadRefused(failure, result.rejects)

    def _difference(self, item: WorkItem, result: LoadResult, at: datetime, *, is_staged: bool) -> Difference | None:
        earlier = statements.replaced_by(self.connection, item, result)
        if earlier is None:
            return None
        return difference(self.loader, self.connection, item, earlier, at, is_staged=is_staged)

    def _refold(self, dataset: Dataset) -> None:
        at, name = self.now(), dataset.full_name
        if items := store.folded_items(self.connection, name):
            _, applied = self.loader.refold(self.connection, dataset, items, None, at)
            store.set_folded(self.connection, name)
            log.info("folded anew", run=self.progress.run_id, dataset=name, files=len(items), touched=applied.touched)
        runs.owe(self.connection, [name], None, full_refresh=True, at=at)

    def _put_back(self, item: WorkItem) -> None:
        self.progress.stopped = True
        with self.connection.begin():
            store.put_back(self.connection, item.id, self.now())

    def _set_aside(self, item: WorkItem, error: Exception) -> None:
        """Retry later what isn't the file's fault; everything else waits for a person."""
        at, failure = self.now(), self._own_or_the_vaults(item, failure_behind(error))
        with self.connection.begin():
            if failure.is_transient:
                store.defer(self.connection, item.id, failure, at + pause_before(item.deferrals + 1), at)
            else:
                store.quarantine(self.connection, item.id, failure, at)
                store.record_rejects(self.connection, item.id, _rejects_of(error))
        self.progress.set_aside += 1
        self.progress.failures.append(f"{part_name(item.name, item.sheet)}: {failure.reason}")
        log.warning("set aside", run=self.progress.run_id, file=item.name, dataset=item.dataset, code=failure.code,
                    failure_class=failure.failure_class.value, transient=failure.is_transient)  # fmt: skip

    def _own_or_the_vaults(self, item: WorkItem, failure: Failure) -> Failure:
        """A damaged copy may be refused before its end is reached, where its hash would have told."""
        if failure.failure_class is FailureClass.DATA:
            try:
                self.loader.vault.check(item.content_hash)
            except VaultError as error:
                return error.failure
        return failure


def fold_anew(connection: Connection, loader: Loader, dataset: Dataset, at: datetime) -> Applied:
    """Make the raw table what the accepted files say, in the caller's transaction; dbt is owed for what changes."""
    items = store.folded_items(connection, dataset.full_name)
    _, applied = loader.refold(connection, dataset, items, None, at)
    store.set_folded(connection, dataset.full_name)
    if applied.touched:
        runs.owe(connection, [dataset.full_name], None, full_refresh=True, at=at)
    return applied


def failure_behind(error: Exception) -> Failure:
    """The failure that an expected exception stands for."""
    match error:
        case Refusal() | LoadRefused() | VaultError():
            return error.failure
        case OSError():
            return of_errno(error.errno, error.strerror or str(error))
        case _:
            return failure_of(error)


def _rejects_of(error: Exception) -> Sequence[Reject]:
    return error.rejects if isinstance(error, LoadRefused) else ()
