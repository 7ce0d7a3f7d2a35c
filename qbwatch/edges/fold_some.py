"""The fold of some documents alone: those that a change of the set of files may touch.

What a statement does to a document depends on what it says about that document, and on what the older ones said about
it; never on other documents. So where files that come or go state single documents (none of them lists everything),
every other document is what it was, and it is enough to fold these from nothing, with what the files say about them.
Their absence from a full export is a statement about them like any other.
"""

from __future__ import annotations

from psycopg import sql

from qbwatch.datasets import Dataset
from qbwatch.edges.fold import SCRATCH, STAGE, Applied, Cursor
from qbwatch.edges.raw_names import raw_table
from qbwatch.edges.tables import raw_columns, raw_key
from qbwatch.edges.temporary import open_empty

_KEYS = sql.Identifier("pg_temp", "qbwatch_some_keys")


def open_keys(cursor: Cursor) -> None:
    """No document is among them yet; gone with the transaction."""
    open_empty(cursor, _KEYS, sql.SQL('_key text COLLATE "C" PRIMARY KEY'))


def add_staged_keys(cursor: Cursor) -> None:
    """The documents that the stage states are among them."""
    _run(cursor, "INSERT INTO {keys} SELECT DISTINCT _key FROM {stage} ON CONFLICT DO NOTHING")
    _run(cursor, "ANALYZE {keys}")


def narrow_stage(cursor: Cursor) -> None:
    """The stage holds nothing about other documents any more."""
    _run(cursor, "DELETE FROM {stage} AS s WHERE NOT EXISTS (SELECT FROM {keys} AS k WHERE k._key = s._key)")


def publish_some(cursor: Cursor, dataset: Dataset, schema: str) -> Applied:
    """Make these documents in the raw table equal to the scratch fold, touching only rows that differ.

    ``schema`` is where the raw table lies.

    As in `publishing.publish_scratch`, rows are told apart by what they hold, to the letter; only the moment of
    loading may differ.
    """
    same = sql.SQL(" AND ").join(sql.SQL("r.{0} = f.{0}").format(sql.Identifier(name)) for name in raw_key(dataset))
    names = [sql.Identifier(name) for name in raw_columns(dataset)]
    told_apart_by = [sql.Identifier(name) for name in raw_columns(dataset) if name != "_loaded_at"]
    parts: dict[str, sql.Composable] = {
        "target": raw_table(dataset, schema),
        "same": same,
        "names": sql.SQL(", ").join(names),
        "theirs": sql.SQL(", ").join(sql.SQL("r.") + name for name in told_apart_by),
        "ours": sql.SQL(", ").join(sql.SQL("f.") + name for name in told_apart_by),
    }
    _run(cursor, "ANALYZE {scratch} (_key, _line)")
    removed, replaced, written = (
        _run(cursor, statement, **parts)
        for statement in (
            """DELETE FROM {target} AS r USING {keys} AS k
               WHERE k._key = r._key AND NOT EXISTS (SELECT FROM {scratch} AS f WHERE {same})""",
            "DELETE FROM {target} AS r USING {scratch} AS f WHERE {same} AND ROW({theirs})::text <> ROW({ours})::text",
            """INSERT INTO {target} ({names}) SELECT {names} FROM {scratch} AS f
               WHERE NOT EXISTS (SELECT FROM {target} AS r WHERE {same})""",
        )
    )
    return Applied(written - replaced, replaced, removed)


def _run(cursor: Cursor, query: str, **parts: sql.Composable) -> int:
    # Nothing that a file says reaches this text: it is made of names of tables and columns.
    composed = sql.SQL(query).format(keys=_KEYS, stage=STAGE, scratch=SCRATCH, **parts)
    return cursor.execute(composed).rowcount
