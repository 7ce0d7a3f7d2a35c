"""What would loading this part change? Folded into a scratch table that nobody else sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.dates import DateOrder
from qbwatch.core.holds import questions
from qbwatch.core.model import Failure, LoadResult, RowCounts, WorkItem
from qbwatch.datasets import Dataset
from qbwatch.edges import fold, places, statements, store
from qbwatch.edges.loader import Loader, LoadRefused, count_rows, spoken_for, statement_of
from qbwatch.edges.postgres import driver
from qbwatch.edges.refolding import Refolding
from qbwatch.edges.staging import Staging
from qbwatch.edges.tables import raw_table
from qbwatch.edges.vault import VaultError
from qbwatch.formats.part import Part
from qbwatch.formats.tally import Tally


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a part would change, and how many accepted parts of its dataset are newer than it.

    ``is_in_place`` is false where it was folded on top of these instead, because what stands before it couldn't be
    folded: without the vault's copies it can't be told.
    """

    rows: RowCounts
    newer: int = 0
    is_in_place: bool = True


def rehearse(connection: Connection, part: Part, item: WorkItem, loader: Loader | None) -> Rehearsed:
    """Accounting of the part as if it were loaded now, at its place in the fold; nothing that lasts is written.

    A part that is older than others is folded onto those before it alone, as a load would do. ``loader`` reads their
    copies.
    """
    cursor, at, dataset = driver(connection).cursor(), datetime.now(UTC), part.layout.dataset
    before, newer = _around(connection, replace(item, dataset=dataset.full_name))
    is_in_place = not newer or (loader is not None and _fold_before(connection, loader, before, dataset, at))
    if not newer or not is_in_place:
        fold.open_scratch(cursor, dataset)
        cursor.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(fold.SCRATCH, raw_table(dataset)))
    tally = Staging(cursor, DateOrder.MDY, at).fill_with_care(item, part)
    applied = fold.apply(cursor, statement_of(item, part, tally), fold.SCRATCH, at)
    return Rehearsed(count_rows(tally, applied), newer, is_in_place)


def _around(connection: Connection, item: WorkItem) -> tuple[list[WorkItem], int]:
    """The accepted parts of the item's dataset that come before it, and how many come after."""
    if not places.place_of(connection, item).is_late:
        return [], 0
    items = store.in_fold_order([*store.folded_items(connection, str(item.dataset)), item])
    place = items.index(item)
    return items[:place], len(items) - place - 1


def _fold_before(
    connection: Connection, loader: Loader, items: Sequence[WorkItem], dataset: Dataset, at: datetime
) -> bool:
    try:
        Refolding(loader, connection, dataset, items, at).beside()
    except (VaultError, LoadRefused):
        return False
    return True


def questions_raised(
    connection: Connection, part: Part, tally: Tally, item: WorkItem, rows: RowCounts
) -> list[Failure]:
    """What a person would be asked if the part were loaded; after `rehearse`, in the same transaction."""
    dataset, cursor = part.layout.dataset, driver(connection).cursor()
    named = replace(item, dataset=dataset.full_name)
    result = LoadResult(rows, period=spoken_for(cursor, statement_of(named, part, tally)), report=part.title)
    new = statements.said_by(named, result, dataset.kind)
    return questions(new, statements.before(connection, named, new, dataset))
