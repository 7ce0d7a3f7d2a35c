"""One statement of the fold: what a staged part does to a table that holds everything older.

The raw tables are a pure function of the accepted files, folded in the order of their ``as_of``. This module is that
function's step, set-based in SQL over three tables of one shape: the *stage* (one part's readable rows), the *target*
(the raw table, or a scratch table when a late file makes the fold start again), and at the end of a scratch fold the
raw table again. Rows that don't change aren't rewritten, so their lineage names the file that last changed them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from qbwatch.core.period import Period
from qbwatch.datasets import Dataset, Kind
from qbwatch.edges.fold_delta import DELTA, find_differing
from qbwatch.edges.fold_period import empty_other_days
from qbwatch.edges.tables import columns_and_key, declared_columns, raw_columns
from qbwatch.edges.temporary import drop, open_empty

STAGE = sql.Identifier("pg_temp", "qbwatch_stage")
SCRATCH = sql.Identifier("pg_temp", "qbwatch_scratch")

UNSTATED = sql.Identifier("pg_temp", "qbwatch_unstated")
"""Keys of the target's documents that a part doesn't state, where the stage doesn't hold all that it does state."""

Cursor = psycopg.Cursor[Any]


class Staged(StrEnum):
    """How much of a part the stage holds."""

    WHOLE = "whole"
    CHANGED = "changed"  # the documents that the target doesn't hold as they are
    NOWHERE = "nowhere"  # its rows went straight into the empty target


_VANISH: dict[Staged, LiteralString] = {
    Staged.WHOLE: """DELETE FROM {target} AS t WHERE t._key <> ALL(%(spared)s)
                     AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)""",
    Staged.CHANGED: """DELETE FROM {target} AS t USING {unstated} AS u
                       WHERE t._key = u._key AND t._key <> ALL(%(spared)s)""",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A part as the fold sees it. ``columns`` are the stored columns that the file has; ``spared`` are keys that a
    full export mentions in rows we had to reject, so that their absence from the stage doesn't remove them.
    ``period`` is what a report speaks for (`ALL_DATES` where it says so); None stands for the days of its rows."""

    dataset: Dataset
    columns: tuple[str, ...]
    as_of: datetime
    spared: frozenset[str]
    removes_absent: bool
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """Rows of the target that one statement touched."""

    inserted: int
    updated: int
    removed: int

    @property
    def touched(self) -> int:
        """All of them together."""
        return self.inserted + self.updated + self.removed


def open_stage(cursor: Cursor, dataset: Dataset) -> None:
    """An empty stage of the dataset's shape, gone with the transaction."""
    open_empty(cursor, STAGE, declared_columns(dataset))


def drop_stage(cursor: Cursor) -> None:
    """Where a part needs none: what was staged before isn't its rows."""
    drop(cursor, STAGE)


def has_stage(cursor: Cursor) -> bool:
    """Whether this transaction has a stage."""
    return cursor.execute("SELECT WHERE to_regclass('pg_temp.qbwatch_stage') IS NOT NULL").rowcount == 1


def open_scratch(cursor: Cursor, dataset: Dataset) -> None:
    """An empty scratch target of the dataset's shape, gone with the transaction."""
    open_empty(cursor, SCRATCH, columns_and_key(dataset))


def copy_to_scratch(cursor: Cursor, dataset: Dataset, table: sql.Identifier) -> None:
    """Fill an empty scratch target with what a table of the dataset's shape holds; it may have columns besides."""
    names = _list(map(sql.Identifier, raw_columns(dataset)))
    cursor.execute(sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM {2}").format(SCRATCH, names, table))


def apply(
    cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime, staged: Staged = Staged.WHOLE
) -> Applied:
    """Fold what is staged of a part into the target; not for one that needs no stage."""
    if statement.dataset.kind is Kind.LIST:
        return _apply_list(cursor, statement, target, at)
    if statement.dataset.kind is Kind.PERIOD:
        return _apply_period(cursor, statement, target, at)
    return _apply_documents(cursor, statement, target, at, staged)


def _apply_list(cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime) -> Applied:
    """Upsert row by row and column by column: a column that the file lacks keeps its last known value."""
    cursor.execute(sql.SQL("ANALYZE {stage} (_key, _line)").format(stage=STAGE))
    stored = statement.dataset.stored
    present = [name for name in statement.columns if name in stored]
    sides = {name: ("s" if name in statement.columns else "t") for name in stored}
    merged_extra = "jsonb_strip_nulls(t._extra || s._extra)"
    update = sql.SQL(
        """UPDATE {target} AS t SET {assignments}, _extra = {extra}, _row_hash = {digest}, _removed_at = NULL,
               _file_id = s._file_id, _row_number = s._row_number, _as_of = s._as_of, _loaded_at = s._loaded_at
           FROM {stage} AS s WHERE s._key = t._key
             AND (t._removed_at IS NOT NULL OR t._extra IS DISTINCT FROM {extra}
                  OR ({theirs}) IS DISTINCT FROM ({ours}))"""
    ).format(
        target=target,
        stage=STAGE,
        assignments=_list(sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in present),
        extra=sql.SQL(merged_extra),
        digest=_digest(statement.dataset, sides, merged_extra),
        theirs=_aliased("t", present),
        ours=_aliased("s", present),
    )
    names = list(raw_columns(statement.dataset))
    fresh: dict[str, sql.Composable] = {
        "_extra": sql.SQL("jsonb_strip_nulls(s._extra)"),
        "_row_hash": _digest(statement.dataset, dict.fromkeys(stored, "s"), "jsonb_strip_nulls(s._extra)"),
    }
    insert = sql.SQL(
        """INSERT INTO {target} ({names}) SELECT {values} FROM {stage} AS s
           WHERE NOT EXISTS (SELECT FROM {target} AS t WHERE t._key = s._key)"""
    ).format(
        target=target,
        stage=STAGE,
        names=_list(map(sql.Identifier, names)),
        values=_list(fresh.get(name, sql.SQL("s.{}").format(sql.Identifier(name))) for name in names),
    )
    updated = cursor.execute(update).rowcount
    inserted = cursor.execute(insert).rowcount
    removed = 0
    if statement.removes_absent:
        vanish = """UPDATE {target} AS t SET _removed_at = %(as_of)s, _loaded_at = %(at)s
                    WHERE t._removed_at IS NULL AND t._key <> ALL(%(spared)s)
                      AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)"""
        removed = _run(cursor, vanish, target, statement, at)
    return Applied(inserted, updated, removed)


def _apply_documents(
    cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime, staged: Staged
) -> Applied:
    """Replace each staged document with all its lines; lines that the newer statement lacks are gone."""
    names = list(raw_columns(statement.dataset))
    insert = sql.SQL("INSERT INTO {target} ({names}) SELECT {values} FROM {stage} AS s").format(
        target=target, stage=STAGE, names=_list(map(sql.Identifier, names)), values=_aliased("s", names)
    )
    if is_empty(cursor, target):
        return Applied(cursor.execute(insert).rowcount, 0, 0)
    cursor.execute(sql.SQL("ANALYZE {stage} (_key, _line)").format(stage=STAGE))
    shrink = """DELETE FROM {target} AS t USING (SELECT _key, max(_line) AS last FROM {stage} GROUP BY _key) AS s
                WHERE t._key = s._key AND t._line > s.last"""
    removed = _run(cursor, shrink, target, statement, at)
    find_differing(cursor, STAGE, target, [*statement.dataset.stored, "_extra"])
    update = sql.SQL(
        """UPDATE {target} AS t SET {assignments} FROM {delta} AS d JOIN {stage} AS s ON s.ctid = d.new
           WHERE t.ctid = d.old"""
    ).format(
        target=target,
        delta=DELTA,
        stage=STAGE,
        assignments=_list(
            sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in names if name not in ("_key", "_line")
        ),
    )
    updated = cursor.execute(update).rowcount
    fresh = sql.SQL(" JOIN {delta} AS d ON d.new = s.ctid WHERE d.old IS NULL").format(delta=DELTA)
    inserted = cursor.execute(insert + fresh).rowcount
    if statement.removes_absent:
        removed += _run(cursor, _VANISH[staged], target, statement, at)
    return Applied(inserted, updated, removed)


def _apply_period(cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime) -> Applied:
    """Replace each staged day like a document, and empty the period's days that the report doesn't mention."""
    emptied = 0
    if statement.removes_absent:
        emptied = empty_other_days(cursor, STAGE, target, statement.period, statement.spared)
    applied = _apply_documents(cursor, replace(statement, removes_absent=False), target, at, Staged.WHOLE)
    return replace(applied, removed=applied.removed + emptied)


def is_empty(cursor: Cursor, table: sql.Identifier) -> bool:
    """Whether a table has no row."""
    return cursor.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(table)).rowcount == 0


def _digest(dataset: Dataset, sides: dict[str, str], extra: LiteralString | str) -> sql.Composed:
    """SQL of a list's ``_row_hash``, which only the merged row has: 64 bits over its typed values and ``_extra``."""
    terms: list[sql.Composable] = [
        sql.SQL("{}.{}").format(sql.Identifier(sides[name]), sql.Identifier(name)) for name in dataset.stored
    ]
    return sql.SQL("hash_record_extended(ROW({}), 0)").format(_list([*terms, sql.SQL(extra)]))


def _run(cursor: Cursor, query: LiteralString, target: sql.Identifier, statement: Statement, at: datetime) -> int:
    composed = sql.SQL(query).format(target=target, stage=STAGE, unstated=UNSTATED)
    values = {"as_of": statement.as_of, "at": at, "spared": list(statement.spared)}
    return cursor.execute(composed, values if "%(" in query else None).rowcount


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _aliased(alias: str, names: Iterable[str]) -> sql.Composed:
    return _list(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in names)
