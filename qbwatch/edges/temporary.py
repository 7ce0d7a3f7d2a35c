"""Temporary tables that one transaction fills for thousands of files in turn.

They are emptied, not made anew: a dropped table's locks stay until the transaction ends, and Postgres has room for some
thousands only (``max_locks_per_transaction``), where a rebuild folds thousands of files in one transaction.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql


def open_empty(cursor: psycopg.Cursor[Any], table: sql.Identifier, columns: sql.Composable) -> None:
    """An empty table in ``pg_temp`` with these columns, gone with the transaction.

    Its comment holds its columns: one of other columns is dropped first.
    """
    shape = columns.as_string(cursor)
    query = "SELECT WHERE obj_description(to_regclass(%s), 'pg_class') = %s"
    if cursor.execute(query, [table.as_string(cursor), shape]).rowcount:
        cursor.execute(sql.SQL("TRUNCATE {}").format(table))
        return
    drop(cursor, table)
    cursor.execute(sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(table, columns))
    cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, shape))


def drop(cursor: psycopg.Cursor[Any], table: sql.Identifier) -> None:
    """Nothing of it is left, if there was one."""
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
