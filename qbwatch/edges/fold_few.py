"""Folding few documents into a large table, whose other rows needn't be read for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from qbwatch.edges.fold import STAGE, Cursor, Staged

_FEW = 10  # times as large as the stage is a table of whose documents few are staged


@contextmanager
def by_index(cursor: Cursor, target: sql.Identifier, staged: Staged) -> Iterator[None]:
    """Have the target's rows be looked up one by one, where the stage holds few of a large table's documents.

    Postgres would rather read all of a table that it has no statistics of yet.
    """
    are_few = staged is Staged.CHANGED and size_of(cursor, STAGE) * _FEW < size_of(cursor, target)
    if are_few:
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    yield
    if are_few:  # else all of it was rolled back
        cursor.execute("SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT")


def size_of(cursor: Cursor, table: sql.Identifier) -> int:
    """Bytes of a table's rows."""
    [(size,)] = cursor.execute("SELECT pg_relation_size(%s::regclass)", [table.as_string()]).fetchall()
    return int(size)
