"""What would loading this part change? Folded into a copy of the raw table that nobody else sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.dates import DateOrder
from qbwatch.core.holds import questions
from qbwatch.core.model import Failure, LoadResult, RowCounts, WorkItem
from qbwatch.edges import fold, statements
from qbwatch.edges.loader import count_rows, spoken_for, statement_of
from qbwatch.edges.postgres import driver
from qbwatch.edges.staging import Staging
from qbwatch.edges.tables import raw_table
from qbwatch.formats.part import Part
from qbwatch.formats.tally import Tally


def rehearse(connection: Connection, part: Part, tally: Tally, item: WorkItem) -> RowCounts:
    """Accounting of the part as if it were loaded now on top of the raw table; the raw table is only read."""
    cursor = driver(connection).cursor()
    at = datetime.now(UTC)
    dataset = part.layout.dataset
    fold.open_scratch(cursor, dataset)
    cursor.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(fold.SCRATCH, raw_table(dataset)))
    tally = Staging(cursor, DateOrder.MDY, at).fill_with_care(item, part)
    return count_rows(tally, fold.apply(cursor, statement_of(item, part, tally), fold.SCRATCH, at))


def questions_raised(
    connection: Connection, part: Part, tally: Tally, item: WorkItem, rows: RowCounts
) -> list[Failure]:
    """What a person would be asked if the part were loaded; after `rehearse`, in the same transaction."""
    dataset, cursor = part.layout.dataset, driver(connection).cursor()
    named = replace(item, dataset=dataset.full_name)
    result = LoadResult(rows, period=spoken_for(cursor, statement_of(named, part, tally)), report=part.title)
    new = statements.said_by(named, result, dataset.kind)
    return questions(new, statements.before(connection, named, new, dataset))
