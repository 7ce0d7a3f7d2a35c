"""What do the money columns of a part's records come to in the table, after it was folded in?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from psycopg import sql

from qbwatch.core.model import Sums
from qbwatch.core.money import EXACT
from qbwatch.edges.fold import STAGE, Cursor, Staged

REST = sql.Identifier("pg_temp", "qbwatch_rest")
"""One row: sums over the stated documents that the stage doesn't hold, since they stand in the target as they are."""

_OF_STAGED = "WHERE EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)"


def sums_of_stated(cursor: Cursor, target: sql.Identifier, columns: Sequence[str], staged: Staged) -> Sums:
    """Exact sums over the target's rows of every key that the part states: what the file's sums must equal."""
    if not columns:
        return {}
    if _is_all(cursor, target, staged):
        with _by_all_processors(cursor):
            return _sums(cursor, target, columns, "")
    sums = _sums(cursor, target, columns, _OF_STAGED)
    if staged is Staged.CHANGED:
        rest = _sums(cursor, REST, columns, "")
        return {name: EXACT.add(total, rest[name]) for name, total in sums.items()}
    return sums


@contextmanager
def _by_all_processors(cursor: Cursor) -> Iterator[None]:
    """Have Postgres share a large table between workers, as its rows have been read by now and a processor is free."""
    cursor.execute("SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0")
    yield
    cursor.execute("SET LOCAL parallel_setup_cost TO DEFAULT; SET LOCAL parallel_tuple_cost TO DEFAULT")


def _sums(cursor: Cursor, table: sql.Identifier, columns: Sequence[str], of: str) -> Sums:
    names = sql.SQL(", ").join(sql.SQL("coalesce(sum(t.{}), 0)").format(sql.Identifier(name)) for name in columns)
    query = sql.SQL("SELECT {sums} FROM {table} AS t " + of).format(sums=names, table=table, stage=STAGE)
    row = cursor.execute(query).fetchone()
    assert row is not None
    return {name: Decimal(value) for name, value in zip(columns, row, strict=True)}


def _is_all(cursor: Cursor, target: sql.Identifier, staged: Staged) -> bool:
    """Whether the target has no other rows, so that a join can be spared."""
    if staged is not Staged.WHOLE:
        return staged is Staged.NOWHERE
    # Every staged row stands in the target: with as many rows it has no others.
    return _count(cursor, target) == _count(cursor, STAGE)


def _count(cursor: Cursor, table: sql.Identifier) -> int:
    row = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    assert row is not None
    return int(row[0])
