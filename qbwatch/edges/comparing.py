"""Does a raw table equal the scratch fold, cell by cell? Reads both and changes neither.

The moment of loading alone may differ. Values are compared to the letter, as a rebuild compares them.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

from qbwatch.core.facts import Json
from qbwatch.datasets import Dataset
from qbwatch.edges import fold
from qbwatch.edges.raw_names import raw_table
from qbwatch.edges.tables import raw_columns, raw_key

_DIFFERENT = """FROM {table} AS r FULL JOIN {scratch} AS f ON {same}
                WHERE r._key IS NULL OR f._key IS NULL OR ROW({ours})::text <> ROW({theirs})::text"""


def compare(cursor: fold.Cursor, dataset: Dataset, schema: str) -> tuple[int, Json | None]:
    """How many rows differ, and the first that does: its key, line and column, and the values on both sides.

    ``schema`` is where the raw table lies.

    A row that only one side has differs as a whole: its ``column`` is None, as is the text of the side that lacks it.
    """
    names = [name for name in raw_columns(dataset) if name != "_loaded_at"]
    parts: dict[str, sql.Composable] = {
        "table": raw_table(dataset, schema),
        "scratch": fold.SCRATCH,
        "same": sql.SQL(" AND ").join(
            sql.SQL("r.{0} = f.{0}").format(sql.Identifier(name)) for name in raw_key(dataset)
        ),
        "ours": _columns("r", names, ""),
        "theirs": _columns("f", names, ""),
    }
    count = cursor.execute(sql.SQL(f"SELECT count(*) {_DIFFERENT}").format(**parts)).fetchone()
    if count is None or not count[0]:
        return 0, None
    first = sql.SQL(
        f"""SELECT ARRAY[{{our_texts}}], ARRAY[{{their_texts}}] {_DIFFERENT}
            ORDER BY coalesce(r._key, f._key) COLLATE "C", coalesce(r._line, f._line) LIMIT 1"""
    ).format(**parts, our_texts=_columns("r", names, "::text"), their_texts=_columns("f", names, "::text"))
    row = cursor.execute(first).fetchone()
    assert row is not None
    return int(count[0]), _told(dict(zip(names, row[0], strict=True)), dict(zip(names, row[1], strict=True)))


def _told(in_table: dict[str, Any], in_fold: dict[str, Any]) -> Json:
    there = in_table if in_table["_key"] is not None else in_fold
    told: Json = {"key": there["_key"], "line": int(there["_line"]), "column": None}
    if in_table["_key"] is None or in_fold["_key"] is None:
        missing, present = None, "the row"
        return told | {
            "in_table": missing if in_table["_key"] is None else present,
            "in_fold": missing if in_fold["_key"] is None else present,
        }
    column = next(name for name in in_table if in_table[name] != in_fold[name])
    return told | {"column": column, "in_table": in_table[column], "in_fold": in_fold[column]}


def _columns(alias: str, names: list[str], cast: str) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{}.{}{}").format(sql.Identifier(alias), sql.Identifier(name), sql.SQL(cast)) for name in names
    )
