"""What a build did for the dashboard, in one line: which mart is current through which day, and from which files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from qbwatch.edges.postgres import driver

_MART = "fct_orders"
_NAMED = 4


def impact_of(connection: Connection, target_schema: str, debts: Sequence[int]) -> str | None:
    """One line about the marts after a build that paid these debts, in the caller's transaction; to be asked before
    they are cleared. None where the project has no such mart (a firm's own may not)."""
    through = _current_through(connection, target_schema)
    names = _files_behind(connection, debts)
    if through is None or not names:
        return None
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    files = "this file" if len(names) == 1 else f"these {len(names)} files"
    return f"{_MART} current through {through}, built from {files}: {shown}"


def _current_through(connection: Connection, target_schema: str) -> date | None:
    query = sql.SQL("SELECT max(order_date) FROM {}").format(sql.Identifier(f"{target_schema}_mart", _MART))
    cursor = driver(connection).cursor()
    try:
        with connection.begin_nested():
            row = cursor.execute(query).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InsufficientPrivilege):
        return None
    return row[0] if row else None


def _files_behind(connection: Connection, debts: Sequence[int]) -> list[str]:
    query = """SELECT DISTINCT file.name FROM qbwatch.transform_debt AS debt
               JOIN qbwatch.work_items AS item ON item.id = debt.work_item_id
               JOIN qbwatch.files AS file ON file.id = item.file_id
               WHERE debt.id = ANY(:ids) ORDER BY file.name"""
    return list(connection.scalars(text(query), {"ids": list(debts)}))
