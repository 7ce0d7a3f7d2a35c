"""A fold that began again stands in the scratch table: make the raw table equal to it under the readers' eyes."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from qbwatch.datasets import Dataset
from qbwatch.edges.fold import SCRATCH, Applied, Cursor
from qbwatch.edges.raw_names import raw_table
from qbwatch.edges.tables import raw_columns, raw_key


def publish_scratch(cursor: Cursor, dataset: Dataset, schema: str) -> Applied:
    """Make the raw table equal the scratch fold, touching only rows that differ; returns how many were touched.

    ``schema`` is where the raw table lies. Rows are told apart by what they hold, to the letter, and not by their
    hashes: the raw table may have been changed by hand. Only the moment of loading may differ.
    """
    target, key = raw_table(dataset, schema), raw_key(dataset)
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


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _aliased(alias: str, names: Iterable[str]) -> sql.Composed:
    return _list(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in names)
