"""What it does to tables and ledger to accept parts, or to take them back: all of it in the caller's transaction.

A part that is newer than everything its raw table holds is folded in by itself. Late ones of a dataset are folded in
together, by one fold that starts again: each at its place, with its own accounting, questions and refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.holds import questions
from qbwatch.core.model import LoadResult, RowCounts, WorkItem
from qbwatch.datasets import Dataset, datasets
from qbwatch.edges import places, runs, statements, store
from qbwatch.edges.difference import difference
from qbwatch.edges.fold import Applied
from qbwatch.edges.loader import Loader, LoadRefused
from qbwatch.edges.refolding import Newcomers, Refolding


class Spoilt(Exception):
    """A refused part had already put older versions of its file out of count: what was done in its company is void."""

    def __init__(self, item: WorkItem, refused: Exception) -> None:
        super().__init__(str(refused))
        self.item = item
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of parts that were folded in together: the accounting of each, or why it was refused, by its id."""

    rows: dict[int, RowCounts] = field(default_factory=dict)
    refused: dict[int, Exception] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folding:
    """Folds parts in over one connection. ``full_refresh``: what they change owes dbt a full build."""

    connection: Connection
    loader: Loader
    at: datetime
    full_refresh: bool = False

    def accept(self, items: Sequence[WorkItem]) -> Accepted:
        """Fold in one item, or several of one dataset: rows, ledger entries, owed dbt work. Raises what one item alone
        is refused by, and `Spoilt` where a refused one spoils the whole."""
        if len(items) > 1:
            return self._accept_late(items, datasets()[items[0].dataset or ""])
        item = self._recognised(items[0])
        dataset = datasets()[item.dataset or ""]
        superseded = places.supersede_older_versions(self.connection, item, self.at)
        place = places.place_of(self.connection, item)
        if place.is_late or place.has_superseded:
            accepted = self._fold_anew_with([item], dataset)
        else:
            accepted = self._append(item, dataset)
        if item.id in accepted.refused:
            raise accepted.refused[item.id]
        self._fold_others(superseded, dataset)
        return accepted

    def _recognised(self, item: WorkItem) -> WorkItem:
        if item.dataset is not None:
            return item
        # Nothing fitted it when it came; a person asked for another try.
        name = self.loader.open(item).layout.dataset.full_name
        store.set_dataset(self.connection, item.id, name)
        return replace(item, dataset=name)

    def _append(self, item: WorkItem, dataset: Dataset) -> Accepted:
        result = self.loader.append(self.connection, item, self.at)
        self._take(item, result, dataset)
        if result.rows.written:
            self._owe(dataset, item.id)
        return Accepted({item.id: result.rows})

    def _accept_late(self, items: Sequence[WorkItem], dataset: Dataset) -> Accepted:
        superseded = {item.id: places.supersede_older_versions(self.connection, item, self.at) for item in items}
        accepted = self._fold_anew_with(items, dataset)
        for item in items:
            if item.id in accepted.refused and superseded[item.id]:
                raise Spoilt(item, accepted.refused[item.id])
        self._fold_others([each for found in superseded.values() for each in found], dataset)
        return accepted

    def _fold_anew_with(self, items: Sequence[WorkItem], dataset: Dataset) -> Accepted:
        rows: dict[int, RowCounts] = {}

        def take(item: WorkItem, result: LoadResult) -> None:
            self._take(item, result, dataset)
            rows[item.id] = result.rows

        newcomers = Newcomers(items, take)
        changed = [*items, *store.changed_items(self.connection, dataset.full_name)]
        counting = store.in_fold_order([*store.folded_items(self.connection, dataset.full_name), *items])
        applied = Refolding(self.loader, self.connection, dataset, counting, self.at).changed(changed, newcomers)
        for refused in newcomers.refused:
            rows.pop(refused, None)
        store.set_folded(self.connection, dataset.full_name)
        if applied.touched:
            for item_id in rows or [None]:
                self._owe(dataset, item_id)
        return Accepted(rows, newcomers.refused)

    def _take(self, item: WorkItem, result: LoadResult, dataset: Dataset) -> None:
        """The ledger entry of a part that was just folded, while the stage still holds it. Raises `LoadRefused` where
        it says something surprising, unless a person has answered."""
        new = statements.said_by(item, result, dataset.kind)
        for failure in questions(new, statements.before(self.connection, item, new, dataset)):
            if not item.accepts(failure.code):
                raise LoadRefused(failure, result.rejects)
        earlier = statements.replaced_by(self.connection, item, result)
        if earlier is not None:
            found = difference(self.loader, self.connection, item, earlier, self.at)
            result = replace(result, difference=found)
        store.finish(self.connection, item, result, self.at)

    def _owe(self, dataset: Dataset, item_id: int | None) -> None:
        runs.owe(self.connection, [dataset.full_name], item_id, full_refresh=self.full_refresh, at=self.at)

    def _fold_others(self, superseded: Sequence[places.Superseded], dataset: Dataset) -> None:
        """Sheets of the older versions that held something else than the newer ones."""
        held = {each.dataset for each in superseded if each.is_folded} - {dataset.full_name}
        for name in sorted(name for name in held if name is not None):
            fold_changes(self.connection, self.loader, datasets()[name], self.at)


def fold_changes(connection: Connection, loader: Loader, dataset: Dataset, at: datetime) -> Applied:
    """After parts ceased to count, or count again: make the raw table what the accepted files say, and owe dbt that."""
    changed = store.changed_items(connection, dataset.full_name)
    return _settle(connection, dataset, _refolding(connection, loader, dataset, at).changed(changed), at)


def fold_anew(connection: Connection, loader: Loader, dataset: Dataset, at: datetime) -> Applied:
    """Make the raw table what the accepted files say, whatever it held, and owe dbt what changes."""
    return _settle(connection, dataset, _refolding(connection, loader, dataset, at).whole(), at)


def _refolding(connection: Connection, loader: Loader, dataset: Dataset, at: datetime) -> Refolding:
    return Refolding(loader, connection, dataset, store.folded_items(connection, dataset.full_name), at)


def _settle(connection: Connection, dataset: Dataset, applied: Applied, at: datetime) -> Applied:
    store.set_folded(connection, dataset.full_name)
    if applied.touched:
        runs.owe(connection, [dataset.full_name], None, full_refresh=True, at=at)
    return applied
