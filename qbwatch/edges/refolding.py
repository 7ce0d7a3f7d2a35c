"""Folding again from nothing, with newcomers at their places: what a late, rewritten or reverted file needs.

The fold grows in a scratch table, from the vault, and the raw table is then made equal to it. Where the files that come
or go state single documents, only those are folded (`edges.fold_some`); anything else is folded as a whole. Either way
the outcome is that of the whole fold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from qbwatch.core.model import LoadResult, WorkItem
from qbwatch.datasets import Dataset, Kind
from qbwatch.edges import fold, fold_some, item_prices
from qbwatch.edges.loader import Loader, LoadRefused
from qbwatch.edges.postgres import driver
from qbwatch.edges.publishing import publish_scratch
from qbwatch.edges.vault import VaultError
from qbwatch.formats.part import Part
from qbwatch.formats.refusal import Refusal

REFUSALS = (Refusal, LoadRefused, VaultError)
"""How a part says that it can't be folded. Whatever else is raised is no matter of one part."""

LARGEST_SHARE = 2  # the files that come or go are read twice: not worth it for more than a half of all bytes


class _FoldAll(Exception):
    """Some documents alone can't be folded after all."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Items that are folded for the first time, in company. ``take`` accepts each at its place or raises `LoadRefused`.

    What is refused leaves no trace and is found in ``refused``; the others go on.
    """

    items: Sequence[WorkItem]
    take: Callable[[WorkItem, LoadResult], None]
    refused: dict[int, Exception] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refolding:
    """Folds one dataset over one connection, in the caller's transaction. ``items`` are all that count, in order."""

    loader: Loader
    connection: Connection
    dataset: Dataset
    items: Sequence[WorkItem]
    at: datetime

    def whole(self, newcomers: Newcomers | None = None) -> fold.Applied:
        """Fold everything and make the raw table equal to that; how many of its rows were touched in the end."""
        self.beside(newcomers)
        applied = publish_scratch(self._cursor, self.dataset)
        repriced = item_prices.publish(self._cursor, self.dataset.full_name)
        # A price that was another one for a while is news to dbt, too.
        return applied if applied.touched else replace(applied, updated=repriced)

    def beside(self, newcomers: Newcomers | None = None) -> None:
        """Fold everything into the scratch table; the raw table is left alone."""
        known = self._open_scratch(newcomers)
        for item in self.items:
            if newcomers is not None and item.id in known:
                self._fold_new(item, newcomers)
            else:
                self._fold_again(item)

    def changed(self, changed: Sequence[WorkItem], newcomers: Newcomers | None = None) -> fold.Applied:
        """As `whole`, but only for what ``changed`` can have touched: newcomers, and what counts no more, or again."""
        if self._states_single_documents(changed):
            try:
                with driver(self.connection).transaction():
                    return self._some(changed, newcomers)
            except _FoldAll:
                if newcomers is not None:
                    newcomers.refused.clear()
        return self.whole(newcomers)

    @property
    def _cursor(self) -> fold.Cursor:
        return driver(self.connection).cursor()

    def _open_scratch(self, newcomers: Newcomers | None) -> set[int]:
        fold.open_scratch(self._cursor, self.dataset)
        return {item.id for item in newcomers.items} if newcomers is not None else set()

    def _states_single_documents(self, changed: Sequence[WorkItem]) -> bool:
        if self.dataset.kind is not Kind.DOCUMENT or any(item.is_full for item in changed):
            return False
        size = sum(item.size_bytes for item in changed)
        return size * LARGEST_SHARE <= sum(item.size_bytes for item in self.items)

    def _some(self, changed: Sequence[WorkItem], newcomers: Newcomers | None) -> fold.Applied:
        keyed_by = self._note_keys(changed)
        known = self._open_scratch(newcomers)
        for item in self.items:
            if newcomers is not None and item.id in known:
                self._fold_new(item, newcomers)
            else:
                self._fold_some_again(item, keyed_by)
        return fold_some.publish_some(self._cursor, self.dataset)

    def _note_keys(self, changed: Sequence[WorkItem]) -> tuple[str, ...]:
        """Which documents the changed files state, and the columns of their key."""
        fold_some.open_keys(self._cursor)
        found: set[tuple[str, ...]] = set()
        for item in changed:
            try:
                with driver(self.connection).transaction():
                    part = self.loader.open(item)
                    self.loader.stage(self._cursor, item, part, self.at)
                    fold_some.add_staged_keys(self._cursor)
                    found.add(part.layout.key_columns)
            except REFUSALS as refused:
                raise _FoldAll from refused
        if len(found) != 1:
            raise _FoldAll
        return found.pop()

    def _fold_new(self, item: WorkItem, newcomers: Newcomers) -> None:
        try:
            with driver(self.connection).transaction():
                part = self.loader.open(item)
                newcomers.take(item, self.loader.fold_in(self._cursor, item, part, fold.SCRATCH, self.at))
        except REFUSALS as refused:
            newcomers.refused[item.id] = refused

    def _fold_again(self, item: WorkItem) -> None:
        """A part that was accepted before. Should it be refused now, it must not look like another file's fault."""
        try:
            self.loader.fold_in(self._cursor, item, self.loader.open(item), fold.SCRATCH, self.at)
        except VaultError as lost:
            if lost.failure.is_transient:
                raise
            raise LoadRefused(replace(lost.failure, reason=f"{item.name}: {lost.failure.reason}")) from lost
        except (Refusal, LoadRefused) as refused:
            self.loader.vault.check(item.content_hash)
            reason = f"{item.name}, which was accepted before, can't be folded again: {refused.failure.reason}"
            raise LoadRefused(replace(refused.failure, reason=reason)) from refused

    def _fold_some_again(self, item: WorkItem, keyed_by: tuple[str, ...]) -> None:
        """What a part says about the changed documents; it was accounted for when it was accepted."""
        try:
            part = self.loader.open(item)
            if part.layout.key_columns != keyed_by:  # whether that may be is decided by all of its rows
                raise _FoldAll
            self._fold_narrowed(item, part)
        except REFUSALS as refused:  # said as the whole fold says it
            raise _FoldAll from refused

    def _fold_narrowed(self, item: WorkItem, part: Part) -> None:
        statement = self.loader.stage(self._cursor, item, part, self.at)
        fold_some.narrow_stage(self._cursor)
        if statement.removes_absent or not fold.is_empty(self._cursor, fold.STAGE):
            fold.apply(self._cursor, statement, fold.SCRATCH, self.at)
