"""The first half of a run: load batch after batch, each in a transaction of its own.

A batch is one item; or the late items of one dataset, which a single fold takes in together. Rows, ledger entries and
owed dbt work of a batch commit together or not at all. A failure of one file stops neither the other files nor the
other datasets; only a lost database ends the run, and then everything unfinished rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from qbwatch.core.failure import of_errno, pause_before
from qbwatch.core.filename import part_name
from qbwatch.core.model import Failure, FailureClass, Reject, RowCounts, WorkItem
from qbwatch.datasets import Dataset
from qbwatch.edges import places, runs, store
from qbwatch.edges.loader import Loader, LoadRefused, LoadStopped
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of, is_lost
from qbwatch.edges.refolding import Refolding
from qbwatch.edges.vault import VaultError
from qbwatch.folding import Accepted, Folding, Spoilt
from qbwatch.formats.refusal import Refusal
from qbwatch.log import get_logger
from qbwatch.moments import Moment, passing
from qbwatch.progress import Progress

log = get_logger(__name__)

# What may go wrong with one item without ending the run. Everything else is a bug.
_EXPECTED: tuple[type[Exception], ...] = (Refusal, LoadRefused, VaultError, OSError, *DATABASE_ERRORS)

Batch = Sequence[WorkItem]


@dataclass(frozen=True, slots=True)
class Loading:
    """Loads over one connection. ``full_refresh``: what is loaded owes dbt a full build, also after a crash."""

    connection: Connection
    loader: Loader
    now: Callable[[], datetime]
    progress: Progress
    full_refresh: bool = False

    def batches(self, items: Sequence[WorkItem]) -> Iterator[Batch]:
        """Items in order, one by one; those of a dataset that make the fold start again come first, as one batch.

        Each dataset is looked at when its turn comes: what was loaded before may have changed what it holds.
        """
        for _, alike in groupby(items, key=lambda item: item.dataset):
            waiting = list(alike)
            together = self._late(waiting)
            if len(together) > 1:
                yield together
                waiting = [item for item in waiting if item not in together]
            yield from ([item] for item in waiting)

    def load(self, batch: Batch) -> None:
        """Load a batch and note what came of each item. Raises only when the database is lost."""
        with self.connection.begin():
            found = [store.claim(self.connection, item.id, self.progress.run_id, self.now()) for item in batch]
        if claimed := [item for item in found if item is not None]:
            passing(Moment.CLAIMED)
            self._load(claimed)

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

    def _late(self, items: Sequence[WorkItem]) -> list[WorkItem]:
        """Those that one fold may take in together: of each file only the newest version."""
        if len(items) < 2 or items[0].dataset is None:
            return []
        with self.connection.begin():
            late = places.late_items(self.connection, [item.id for item in items])
        newest: dict[tuple[str, datetime], int] = {}
        for item in items:
            newest[item.name, item.as_of] = max(item.file_id, newest.get((item.name, item.as_of), 0))
        return [item for item in items if item.id in late and newest[item.name, item.as_of] == item.file_id]

    def _load(self, claimed: Batch) -> None:
        try:
            with self.connection.begin():
                accepted = Folding(self.connection, self.loader, self.now(), self.full_refresh).accept(claimed)
                failures = self._record_refused(claimed, accepted)
                passing(Moment.BEFORE_COMMIT)
        except LoadStopped:
            self._put_back(claimed)
        except Spoilt as spoilt:
            self._set_aside(spoilt.item, spoilt.refused)
            self._load([item for item in claimed if item.id != spoilt.item.id])
        except _EXPECTED as error:
            if is_lost(self.connection):
                raise
            if self.loader.should_stop():  # its statement was cancelled for that
                self._put_back(claimed)
            elif len(claimed) > 1:
                self._load_one_by_one(claimed, error)
            else:
                self._set_aside(claimed[0], error)
        else:
            passing(Moment.AFTER_COMMIT)
            self._tell(claimed, accepted, failures)

    def _load_one_by_one(self, claimed: Batch, error: Exception) -> None:
        """What failed as a whole may be the fault of one."""
        log.info("loaded one by one", run=self.progress.run_id, dataset=claimed[0].dataset, files=len(claimed),
                 reason=failure_behind(error).reason)  # fmt: skip
        self._put_back(claimed, stopped=False)
        for item in claimed:
            if self.progress.stopped or self.loader.should_stop():
                self.progress.stopped = True
                return
            self.load([item])

    def _refold(self, dataset: Dataset) -> None:
        at, name = self.now(), dataset.full_name
        if items := store.folded_items(self.connection, name):
            applied = Refolding(self.loader, self.connection, dataset, items, at).whole()
            store.set_folded(self.connection, name)
            log.info("folded anew", run=self.progress.run_id, dataset=name, files=len(items), touched=applied.touched)
        runs.owe(self.connection, [name], None, full_refresh=True, at=at)

    def _put_back(self, items: Batch, *, stopped: bool = True) -> None:
        self.progress.stopped = self.progress.stopped or stopped
        with self.connection.begin():
            for item in items:
                store.put_back(self.connection, item.id, self.now())

    def _record_refused(self, claimed: Batch, accepted: Accepted) -> dict[int, Failure]:
        """Those of a batch that were refused, in its transaction."""
        refused = [item for item in claimed if item.id in accepted.refused]
        return {item.id: self._record_failure(item, accepted.refused[item.id]) for item in refused}

    def _set_aside(self, item: WorkItem, error: Exception) -> None:
        with self.connection.begin():
            failure = self._record_failure(item, error)
        self._tell_failure(item, failure)

    def _record_failure(self, item: WorkItem, error: Exception) -> Failure:
        """Retry later what isn't the file's fault; everything else waits for a person. In the caller's transaction."""
        at, failure = self.now(), self._own_or_the_vaults(item, failure_behind(error))
        if failure.is_transient:
            store.defer(self.connection, item.id, failure, at + pause_before(item.deferrals + 1), at)
        else:
            store.quarantine(self.connection, item.id, failure, at)
            store.record_rejects(self.connection, item.id, _rejects_of(error))
        return failure

    def _tell(self, claimed: Batch, accepted: Accepted, failures: dict[int, Failure]) -> None:
        for item in claimed:
            if item.id in failures:
                self._tell_failure(item, failures[item.id])
            else:
                self._tell_loaded(item, accepted.rows[item.id])

    def _tell_loaded(self, item: WorkItem, rows: RowCounts) -> None:
        self.progress.loaded += 1
        self.progress.rows += rows
        log.info("loaded", run=self.progress.run_id, file=item.name, dataset=item.dataset, rows=rows.read,
                 written=rows.written, rejected=rows.rejected)  # fmt: skip

    def _tell_failure(self, item: WorkItem, failure: Failure) -> None:
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
