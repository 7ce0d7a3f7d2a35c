"""What would loading this part change? Folded into a copy of the raw table that nobody else sees."""

from __future__ import annotations

from datetime import UTC, datetime

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.dates import DateOrder
from qbwatch.core.model import RowCounts, WorkItem
from qbwatch.edges import fold
from qbwatch.edges.loader import count_rows, statement_of
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
    statement = statement_of(item, part, tally)
    fold.seal_stage(cursor, statement)
    return count_rows(tally, fold.apply(cursor, statement, fold.SCRATCH, at))
