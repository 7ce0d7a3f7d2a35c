"""Which staged rows say something else than the rows of the same place in the table?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from qbwatch.edges.temporary import open_empty

DELTA = sql.Identifier("pg_temp", "qbwatch_delta")


def find_differing(
    cursor: psycopg.Cursor[Any], stage: sql.Identifier, target: sql.Identifier, said: Sequence[str]
) -> None:
    """Note where each staged row lies that says something new (``new``), and where its former version does (``old``).

    One narrow join by digests finds the candidates; those that differ in notation alone are then sorted out by what
    their columns ``said`` hold.
    """
    parts = {
        "delta": DELTA,
        "stage": stage,
        "target": target,
        "ours": _aliased("s", said),
        "theirs": _aliased("t", said),
    }
    open_empty(cursor, DELTA, sql.SQL("new tid, old tid"))
    for each in (
        """INSERT INTO {delta} SELECT s.ctid, t.ctid
           FROM {stage} AS s LEFT JOIN {target} AS t ON t._key = s._key AND t._line = s._line
           WHERE t._row_hash IS DISTINCT FROM s._row_hash""",
        "ANALYZE {delta}",
        """DELETE FROM {delta} AS d USING {stage} AS s, {target} AS t WHERE s.ctid = d.new AND t.ctid = d.old
           AND record_eq(ROW({ours}), ROW({theirs}))""",
    ):
        cursor.execute(sql.SQL(each).format(**parts))


def _aliased(alias: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in names)
