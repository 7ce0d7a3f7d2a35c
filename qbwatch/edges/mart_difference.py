"""Where do two tables of one name differ, to the row?

Everything is compared in Postgres, and only counts and the examples that were asked for leave it. Both tables are read
through one shape, the columns that both have, each value as text: numbers without trailing zeros, days as moments. So
equal values of unlike types are equal, and NULL equals NULL. Where a key is known, rows are told apart by it; else they
are compared as wholes, as often as they occur (EXCEPT ALL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from qbwatch.core.comparison import Compared, Pair
from qbwatch.core.facts import Json

_CAST: dict[str, LiteralString] = {
    "number": "trim_scale({0}::numeric)::text AS {0}",
    "moment": "{0}::timestamp::text AS {0}",
    "text": "{0}::text AS {0}",
}
_BOTH = "WITH new AS (SELECT {columns} FROM {new}), old AS (SELECT {columns} FROM {old}) "

# Both sides know at least one key in common: keys that were computed in another way are unique, and say nothing about
# which rows belong together.
_TELLS_APART = """
SELECT (SELECT count(*) = count(DISTINCT ({key})) AND coalesce(bool_and({known}), true) FROM new)
       AND (SELECT count(*) = count(DISTINCT ({key})) AND coalesce(bool_and({known}), true) FROM old)
       AND (EXISTS (SELECT FROM new JOIN old USING ({key}))
            OR NOT EXISTS (SELECT FROM new) OR NOT EXISTS (SELECT FROM old))"""
_COUNTS = """
SELECT count(*) FILTER (WHERE old.{first} IS NULL), count(*) FILTER (WHERE new.{first} IS NULL), {counts}
FROM new FULL JOIN old USING ({key})"""
_IN_BOTH = "count(*) FILTER (WHERE new.{first} IS NOT NULL AND old.{first} IS NOT NULL AND ({differ}))"
_ALONE = "SELECT {names} FROM {one} WHERE NOT EXISTS (SELECT FROM {other} WHERE {same}) ORDER BY {key} LIMIT {limit}"
_DIFFERING = """
SELECT ARRAY[{ours}], ARRAY[{theirs}] FROM new JOIN old USING ({key}) WHERE {differ} ORDER BY {key} LIMIT {limit}"""
_NONE = sql.SQL("")
_SURPLUS = "(SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other})"


@dataclass(frozen=True, slots=True)
class TableComparer:
    """Compares one table of two schemas over a session, in the caller's transaction; at most ``limit`` examples of
    each kind."""

    cursor: psycopg.Cursor[Any]
    pair: Pair
    new_schema: str
    old_schema: str
    limit: int

    def compare(self, keys: Iterable[tuple[str, ...]]) -> Compared:
        """By the first of the keys that tells all rows apart on both sides, or as wholes."""
        totals, *rows = self._totals()
        counts = (rows[0], rows[1])
        if not self.pair.shared:
            return Compared(self.pair, None, counts, totals, *counts)
        key = next((each for each in keys if self._tells_apart(each)), None)
        return self._as_wholes(counts, totals) if key is None else self._by(key, counts, totals)

    def _totals(self) -> tuple[Any, int, int]:
        summed = self.pair.summed
        terms: list[sql.Composable] = [sql.SQL("count(*)")]
        terms += [sql.SQL("trim_scale(sum({}::numeric))::text").format(sql.Identifier(name)) for name in summed]
        (new_rows, *new), (old_rows, *old) = (
            self._rows("SELECT {terms} FROM {table}", terms=_list(terms), table=each)[0]
            for each in (self._new, self._old)
        )
        return dict(zip(summed, zip(new, old, strict=True), strict=True)), new_rows, old_rows

    def _tells_apart(self, key: tuple[str, ...]) -> bool:
        known = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in key)
        return bool(self._rows(_BOTH + _TELLS_APART, self._columns(key), key=_names(key), known=known)[0][0])

    def _by(self, key: tuple[str, ...], rows: tuple[int, int], totals: Any) -> Compared:
        others = [name for name in self.pair.shared if name not in key]
        differ: list[sql.Composable] = [_unlike(name) for name in others] or [sql.SQL("false")]
        anywhere = sql.SQL(" OR ").join(differ)
        first = sql.Identifier(key[0])
        counts = _list(sql.SQL(_IN_BOTH).format(first=first, differ=each) for each in (anywhere, *differ))
        only_new, only_old, differing, *by_column = self._rows(
            _BOTH + _COUNTS, self._columns(self.pair.shared), first=first, counts=counts, key=_names(key)
        )[0]
        columns = {name: count for name, count in zip(others, by_column, strict=False) if count}
        examples: Json = {
            "only_new": self._alone("new", "old", key) if only_new else [],
            "only_old": self._alone("old", "new", key) if only_old else [],
            "differing": self._differing(key, anywhere) if differing else [],
        }
        return Compared(self.pair, key, rows, totals, only_new, only_old, differing, columns, examples)

    def _alone(self, one: str, other: str, key: tuple[str, ...]) -> list[Json]:
        """Rows whose key the other side doesn't know."""
        names = self.pair.shared
        same = sql.SQL(" AND ").join(
            sql.SQL("{0}.{2} = {1}.{2}").format(*map(sql.Identifier, (one, other, name))) for name in key
        )
        found = self._rows(
            _BOTH + _ALONE,
            self._columns(names),
            names=_names(names),
            one=sql.Identifier(one),
            other=sql.Identifier(other),
            same=same,
            key=_names(key),
            limit=sql.Literal(self.limit),
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def _differing(self, key: tuple[str, ...], differ: sql.Composed) -> list[Json]:
        """Rows of one key that differ: the key, and each column in which they do, from both sides."""
        names = self.pair.shared
        ours, theirs = (
            _list(sql.SQL("{}.{}").format(sql.Identifier(side), sql.Identifier(name)) for name in names)
            for side in ("new", "old")
        )
        found = self._rows(
            _BOTH + _DIFFERING,
            self._columns(names),
            ours=ours,
            theirs=theirs,
            key=_names(key),
            differ=differ,
            limit=sql.Literal(self.limit),
        )
        return [_told(key, dict(zip(names, zip(*sides, strict=True), strict=True))) for sides in found]

    def _as_wholes(self, rows: tuple[int, int], totals: Any) -> Compared:
        (only_new, new), (only_old, old) = self._surplus("new", "old"), self._surplus("old", "new")
        return Compared(self.pair, None, rows, totals, only_new, only_old, examples={"only_new": new, "only_old": old})

    def _surplus(self, one: str, other: str) -> tuple[int, list[Json]]:
        """Rows that a side has more often than the other: how many, and examples."""
        names = self.pair.shared
        surplus = sql.SQL(_SURPLUS).format(one=sql.Identifier(one), other=sql.Identifier(other))
        columns = self._columns(names)
        count = int(self._rows(_BOTH + "SELECT count(*) FROM {surplus} AS alone", columns, surplus=surplus)[0][0])
        query = _BOTH + "SELECT * FROM {surplus} AS alone ORDER BY {names} LIMIT {limit}"
        limit = sql.Literal(self.limit)
        found = self._rows(query, columns, surplus=surplus, names=_names(names), limit=limit) if count else []
        return count, [dict(zip(names, row, strict=True)) for row in found]

    @property
    def _new(self) -> sql.Identifier:
        return sql.Identifier(self.new_schema, self.pair.table)

    @property
    def _old(self) -> sql.Identifier:
        return sql.Identifier(self.old_schema, self.pair.table)

    def _columns(self, names: Sequence[str]) -> sql.Composed:
        return _list(sql.SQL(_CAST[self.pair.kind_of(name)]).format(sql.Identifier(name)) for name in names)

    def _rows(
        self,
        query: LiteralString,
        columns: sql.Composable = _NONE,
        **parts: sql.Composable,
    ) -> list[tuple[Any, ...]]:
        composed = sql.SQL(query).format(columns=columns, new=self._new, old=self._old, **parts)
        return self.cursor.execute(composed).fetchall()


def _told(key: tuple[str, ...], values: dict[str, tuple[str | None, str | None]]) -> Json:
    return {
        "key": {name: values[name][0] for name in key},
        "columns": {name: {"new": new, "old": old} for name, (new, old) in values.items() if new != old},
    }


def _unlike(name: str) -> sql.Composed:
    return sql.SQL("new.{0} IS DISTINCT FROM old.{0}").format(sql.Identifier(name))


def _names(names: Iterable[str]) -> sql.Composed:
    return _list(map(sql.Identifier, names))


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
