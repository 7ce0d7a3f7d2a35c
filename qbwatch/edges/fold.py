"""One statement of the fold: what a staged part does to a table that holds everything older.

The raw tables are a pure function of the accepted files, folded in the order of their ``as_of``. This module is that
function's step, set-based in SQL over three tables of one shape: the *stage* (one part's readable rows), the *target*
(the raw table, or a scratch table when a late file makes the fold start again), and at the end of a scratch fold the
raw table again. Rows that don't change aren't rewritten, so their lineage names the file that last changed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from qbwatch.core.model import Sums
from qbwatch.core.period import Period
from qbwatch.datasets import Dataset, Kind
from qbwatch.edges.fold_period import empty_other_days
from qbwatch.edges.tables import raw_columns, raw_key, raw_table

STAGE = sql.Identifier("pg_temp", "qbwatch_stage")
SCRATCH = sql.Identifier("pg_temp", "qbwatch_scratch")

Cursor = psycopg.Cursor[Any]


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
    _open_like(cursor, STAGE, dataset, indexed=False)


def open_scratch(cursor: Cursor, dataset: Dataset) -> None:
    """An empty scratch target of the dataset's shape, gone with the transaction."""
    _open_like(cursor, SCRATCH, dataset, indexed=True)


def _open_like(cursor: Cursor, table: sql.Identifier, dataset: Dataset, *, indexed: bool) -> None:
    including = sql.SQL("INCLUDING INDEXES" if indexed else "")
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    create = sql.SQL("CREATE TEMP TABLE {} (LIKE {} INCLUDING DEFAULTS {}) ON COMMIT DROP")
    cursor.execute(create.format(table, raw_table(dataset), including))


def seal_stage(cursor: Cursor, statement: Statement) -> None:
    """Hash the staged rows and, for speed of the joins that follow, index and analyse them."""
    if statement.dataset.kind is not Kind.LIST:
        cursor.execute(
            sql.SQL("UPDATE {stage} SET _extra = jsonb_strip_nulls(_extra) WHERE _extra <> '{{}}'").format(stage=STAGE)
        )
        cursor.execute(
            sql.SQL("UPDATE {stage} AS s SET _row_hash = {digest}").format(
                stage=STAGE, digest=_digest(statement.dataset, dict.fromkeys(statement.dataset.stored, "s"), "s._extra")
            )
        )
    cursor.execute(sql.SQL("CREATE INDEX ON {stage} (_key, _line)").format(stage=STAGE))
    cursor.execute(sql.SQL("ANALYZE {stage}").format(stage=STAGE))


def apply(cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime) -> Applied:
    """Fold the stage into the target."""
    if statement.dataset.kind is Kind.LIST:
        return _apply_list(cursor, statement, target, at)
    if statement.dataset.kind is Kind.PERIOD:
        return _apply_period(cursor, statement, target, at)
    return _apply_documents(cursor, statement, target, at)


def _apply_list(cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime) -> Applied:
    """Upsert row by row and column by column: a column that the file lacks keeps its last known value."""
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


def _apply_documents(cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime) -> Applied:
    """Replace each staged document with all its lines; lines that the newer statement lacks are gone."""
    shrink = """DELETE FROM {target} AS t USING (SELECT _key, max(_line) AS last FROM {stage} GROUP BY _key) AS s
                WHERE t._key = s._key AND t._line > s.last"""
    removed = _run(cursor, shrink, target, statement, at)
    names = [name for name in raw_columns(statement.dataset) if name not in ("_key", "_line")]
    update = sql.SQL(
        """UPDATE {target} AS t SET {assignments} FROM {stage} AS s
           WHERE t._key = s._key AND t._line = s._line AND t._row_hash <> s._row_hash"""
    ).format(
        target=target,
        stage=STAGE,
        assignments=_list(sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in names),
    )
    updated = cursor.execute(update).rowcount
    insert = sql.SQL(
        """INSERT INTO {target} ({names}) SELECT {names} FROM {stage} AS s
           WHERE NOT EXISTS (SELECT FROM {target} AS t WHERE t._key = s._key AND t._line = s._line)"""
    ).format(target=target, stage=STAGE, names=_list(map(sql.Identifier, raw_columns(statement.dataset))))
    inserted = cursor.execute(insert).rowcount
    if statement.removes_absent:
        vanish = """DELETE FROM {target} AS t WHERE t._key <> ALL(%(spared)s)
                    AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)"""
        removed += _run(cursor, vanish, target, statement, at)
    return Applied(inserted, updated, removed)


def _apply_period(cursor: Cursor, statement: Statement, target: sql.Identifier, at: datetime) -> Applied:
    """Replace each staged day like a document, and empty the period's days that the report doesn't mention."""
    emptied = 0
    if statement.removes_absent:
        emptied = empty_other_days(cursor, STAGE, target, statement.period, statement.spared)
    applied = _apply_documents(cursor, replace(statement, removes_absent=False), target, at)
    return replace(applied, removed=applied.removed + emptied)


def sums_of_staged_keys(cursor: Cursor, target: sql.Identifier, columns: Sequence[str]) -> Sums:
    """Exact sums over the target's rows of every key in the stage: what the file's sums must equal."""
    if not columns:
        return {}
    query = sql.SQL(
        """SELECT {sums} FROM {target} AS t WHERE EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)"""
    ).format(
        target=target,
        stage=STAGE,
        sums=_list(sql.SQL("coalesce(sum(t.{}), 0)").format(sql.Identifier(name)) for name in columns),
    )
    row = cursor.execute(query).fetchone()
    assert row is not None
    return {name: Decimal(value) for name, value in zip(columns, row, strict=True)}


def publish_scratch(cursor: Cursor, dataset: Dataset) -> Applied:
    """Make the raw table equal the scratch fold, touching only rows that differ; returns how many were touched.

    Rows are told apart by what they hold, to the letter, and not by their hashes: the raw table may have been changed
    by hand. Only the moment of loading may differ.
    """
    target, key = raw_table(dataset), raw_key(dataset)
    same = sql.SQL(" AND ").join(sql.SQL("r.{0} = f.{0}").format(sql.Identifier(name)) for name in key)
    told_apart_by = [name for name in raw_columns(dataset) if name != "_loaded_at"]
    settable = [name for name in raw_columns(dataset) if name not in key]
    statements = (
        """DELETE FROM {target} AS r WHERE NOT EXISTS (SELECT FROM {scratch} AS f WHERE {same})""",
        """UPDATE {target} AS r SET {assignments} FROM {scratch} AS f
           WHERE {same} AND ROW({theirs})::text <> ROW({ours})::text""",
        """INSERT INTO {target} ({names}) SELECT {names} FROM {scratch} AS f
           WHERE NOT EXISTS (SELECT FROM {target} AS r WHERE {same})""",
    )
    removed, updated, inserted = (
        cursor.execute(
            sql.SQL(statement).format(
                target=target,
                scratch=SCRATCH,
                same=same,
                names=_list(map(sql.Identifier, raw_columns(dataset))),
                assignments=_list(sql.SQL("{0} = f.{0}").format(sql.Identifier(name)) for name in settable),
                theirs=_aliased("r", told_apart_by),
                ours=_aliased("f", told_apart_by),
            )
        ).rowcount
        for statement in statements
    )
    return Applied(inserted, updated, removed)


def _digest(dataset: Dataset, sides: dict[str, str], extra: LiteralString | str) -> sql.Composed:
    """SQL that hashes a row's content: declared values in order (numbers without trailing zeros) and ``_extra``."""
    terms: list[sql.Composable] = []
    for name, kind in dataset.stored.items():
        column = sql.SQL("{}.{}").format(sql.Identifier(sides[name]), sql.Identifier(name))
        terms.append(sql.SQL("trim_scale({})").format(column) if kind == "numeric" else column)
    terms.append(sql.SQL(extra))
    return sql.SQL("md5(ROW({})::text)::uuid").format(_list(terms))


def _run(cursor: Cursor, query: LiteralString, target: sql.Identifier, statement: Statement, at: datetime) -> int:
    composed = sql.SQL(query).format(target=target, stage=STAGE)
    values = {"as_of": statement.as_of, "at": at, "spared": list(statement.spared)}
    return cursor.execute(composed, values if "%(" in query else None).rowcount


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _aliased(alias: str, names: Iterable[str]) -> sql.Composed:
    return _list(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in names)
