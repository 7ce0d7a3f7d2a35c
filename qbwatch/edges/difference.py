"""How does a file differ from the earlier one that it replaces: how many rows changed, are new, are gone?

Both statements are compared as they stand, not what the fold made of them: between two full exports the windows have
brought most changes already, and the accounting would call them unchanged. Rows are compared within their record,
document or day without regard to their order, so that a line that was inserted at the top is one new row. Only columns
that both files have count. The price is a second reading of the earlier file, paid only by a file that replaces one,
and not by files so large that it would be felt.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from sqlalchemy import Connection

from qbwatch.core.model import Difference, WorkItem
from qbwatch.edges import fold
from qbwatch.edges.loader import Loader
from qbwatch.edges.postgres import driver
from qbwatch.edges.staging import HUGE, Staging
from qbwatch.edges.temporary import open_empty
from qbwatch.edges.vault import VaultError
from qbwatch.formats.part import Part
from qbwatch.formats.refusal import Refusal

_EARLIER = sql.Identifier("pg_temp", "qbwatch_earlier")
_NEWER = sql.Identifier("pg_temp", "qbwatch_newer")

_COUNT = """
    WITH rows AS (
        SELECT _key, digest, greatest(count(*) FILTER (WHERE newer) - count(*) FILTER (WHERE NOT newer), 0) AS came,
               greatest(count(*) FILTER (WHERE NOT newer) - count(*) FILTER (WHERE newer), 0) AS went
        FROM (SELECT _key, digest, true AS newer FROM {newer}
              UNION ALL SELECT _key, digest, false FROM {earlier}) AS both_of_them
        GROUP BY _key, digest),
    records AS (SELECT sum(came) AS came, sum(went) AS went FROM rows GROUP BY _key)
    SELECT coalesce(sum(least(came, went)), 0), coalesce(sum(came - least(came, went)), 0),
           coalesce(sum(went - least(came, went)), 0)
    FROM records"""


@dataclass(frozen=True, slots=True)
class _Shared:
    """Columns that both files have, declared ones and others; ``alone`` are others that only one of them has."""

    columns: dict[str, str]
    alone: Collection[str]


def difference(
    loader: Loader, connection: Connection, item: WorkItem, earlier: WorkItem, at: datetime
) -> Difference | None:
    """Compare an item, whose rows the stage still holds where it needed one, with an earlier one.

    None where they are large, or the earlier one can't be read any more: that is no fault of the newer one.
    Raises `LoadStopped`.
    """
    if item.size_bytes + earlier.size_bytes >= HUGE:  # of one so large the stage may hold less than all
        return None
    try:
        with driver(connection).transaction():
            newer_part, earlier_part = loader.open(item), loader.open(earlier)
            if newer_part.layout.dataset != earlier_part.layout.dataset:
                return None
            cursor, shared = driver(connection).cursor(), _shared(newer_part, earlier_part)
            if not fold.has_stage(cursor):
                _stage(loader, cursor, item, newer_part, at)
            _keep(cursor, _NEWER, shared)
            _stage(loader, cursor, earlier, earlier_part, at)
            _keep(cursor, _EARLIER, shared)
            row = cursor.execute(sql.SQL(_COUNT).format(newer=_NEWER, earlier=_EARLIER)).fetchone()
            assert row is not None
            changed, new, gone = map(int, row)
            return Difference(earlier.file_id, earlier.name, changed, new, gone)
    except (Refusal, VaultError, OSError):
        return None


def _stage(loader: Loader, cursor: fold.Cursor, item: WorkItem, part: Part, at: datetime) -> None:
    Staging(cursor, loader.order, at, loader.should_stop).fill(item, part, lambda: loader.vault.open(item.content_hash))


def _shared(newer: Part, earlier: Part) -> _Shared:
    both = set(newer.layout.columns) & set(earlier.layout.columns)
    stored = newer.layout.dataset.stored
    alone = set(newer.layout.new) ^ set(earlier.layout.new)
    return _Shared({name: kind for name, kind in stored.items() if name in both}, sorted(alone))


def _keep(cursor: fold.Cursor, table: sql.Identifier, shared: _Shared) -> None:
    """Remember the staged rows by what they say: numbers without trailing zeros, blanks of other columns left out."""
    terms: list[sql.Composable] = [
        sql.SQL("trim_scale(s.{})" if kind == "numeric" else "s.{}").format(sql.Identifier(name))
        for name, kind in shared.columns.items()
    ]
    terms.append(sql.SQL("jsonb_strip_nulls(s._extra - {}::text[])").format(sql.Literal(list(shared.alone))))
    open_empty(cursor, table, sql.SQL('_key text COLLATE "C", digest text COLLATE "C"'))
    query = sql.SQL("INSERT INTO {} SELECT s._key, md5(ROW({})::text) FROM {} AS s")
    cursor.execute(query.format(table, sql.SQL(", ").join(terms), fold.STAGE))
