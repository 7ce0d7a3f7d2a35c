"""What do the money columns of a part's records come to in the table, after it was folded in?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from psycopg import sql

from qbwatch.core.model import Sums
from qbwatch.edges.fold import STAGE, UNSTATED, Cursor, Staged

_OF_STATED: dict[Staged, str] = {
    Staged.CHANGED: "WHERE NOT EXISTS (SELECT FROM {unstated} AS u WHERE u._key = t._key)",
    Staged.WHOLE: "WHERE EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)",
}


def sums_of_stated(cursor: Cursor, target: sql.Identifier, columns: Sequence[str], staged: Staged) -> Sums:
    """Exact sums over the target's rows of every key that the part states: what the file's sums must equal."""
    if not columns:
        return {}
    query = "SELECT {sums} FROM {target} AS t " + ("" if _is_all(cursor, target, staged) else _OF_STATED[staged])
    row = cursor.execute(
        sql.SQL(query).format(
            target=target,
            stage=STAGE,
            unstated=UNSTATED,
            sums=sql.SQL(", ").join(sql.SQL("coalesce(sum(t.{}), 0)").format(sql.Identifier(name)) for name in columns),
        )
    ).fetchone()
    assert row is not None
    return {name: Decimal(value) for name, value in zip(columns, row, strict=True)}


def _is_all(cursor: Cursor, target: sql.Identifier, staged: Staged) -> bool:
    """Whether the target has no other rows, so that a join can be spared."""
    if staged is Staged.NOWHERE:
        return True
    if staged is Staged.CHANGED:
        return _count(cursor, UNSTATED) == 0
    # Every staged row stands in the target: with as many rows it has no others.
    return _count(cursor, target) == _count(cursor, STAGE)


def _count(cursor: Cursor, table: sql.Identifier) -> int:
    row = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    assert row is not None
    return int(row[0])
