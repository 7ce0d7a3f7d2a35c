"""What items cost, and since when: the one history that the newest state of a list doesn't hold.

It is kept by the fold itself. After each part of items, the prices of the rows it stated are compared with the last
known ones, and what differs is noted at the part's ``as_of``. Where a late file makes the fold start again, so does the
history, beside the scratch table. So it is a function of the accepted files, like the raw tables themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from qbwatch.datasets import datasets
from qbwatch.edges.fold import SCRATCH, STAGE
from qbwatch.edges.postgres import driver
from qbwatch.edges.raw_names import raw_table
from qbwatch.edges.tables import PRICES

ITEMS = "quickbooks.items"
_TABLE = """
CREATE TABLE {history} (
    _key                text NOT NULL,
    _as_of              timestamptz NOT NULL,
    sales_price         numeric,
    sales_price_percent numeric,
    purchase_cost       numeric,
    _file_id            bigint,
    PRIMARY KEY (_key, _as_of)
);
COMMENT ON TABLE {history} IS 'Prices of each item, from each moment at which a file changed them.';
INSERT INTO {history}
SELECT _key, _as_of, sales_price, sales_price_percent, purchase_cost, _file_id FROM {items};
"""
_SCRATCH_HISTORY = sql.Identifier("pg_temp", "qbwatch_scratch_item_prices")
_PRICES = ("sales_price", "sales_price_percent", "purchase_cost")


def history_table(schema: str) -> sql.Identifier:
    """The qualified name of the history, which lies beside the raw tables."""
    return sql.Identifier(schema, PRICES)


def ensure_table(connection: Connection, schema: str) -> bool:
    """Create the history where there is none, from the newest state of the items; in the caller's transaction.

    True where it had to be created: what the items cost before, only a fold of them can tell.
    """
    history = history_table(schema)
    cursor = driver(connection).cursor()
    (found,) = cursor.execute("SELECT to_regclass(%s)", [history.as_string()]).fetchall()[0]
    if found is None:
        cursor.execute(sql.SQL(_TABLE).format(history=history, items=raw_table(datasets()[ITEMS], schema)))
    return found is None


def note(cursor: psycopg.Cursor[Any], file_id: int, as_of: datetime, target: sql.Identifier, schema: str) -> None:
    """After a part of items was folded from the stage into ``target``: note the prices that are new at this moment."""
    history = kept = history_table(schema)
    if target == SCRATCH:
        history = _SCRATCH_HISTORY
        create = "CREATE TEMP TABLE IF NOT EXISTS qbwatch_scratch_item_prices (LIKE {} INCLUDING ALL) ON COMMIT DROP"
        cursor.execute(sql.SQL(create).format(kept))
    query = """INSERT INTO {history} (_key, _as_of, {prices}, _file_id)
               SELECT t._key, %(as_of)s, {theirs}, %(file)s
               FROM {target} AS t
               LEFT JOIN LATERAL (SELECT h.* FROM {history} AS h WHERE h._key = t._key ORDER BY h._as_of DESC LIMIT 1)
                         AS last ON true
               WHERE EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)
                 AND (last._key IS NULL OR ({theirs}) IS DISTINCT FROM ({known}))
               ON CONFLICT (_key, _as_of) DO UPDATE SET ({prices}, _file_id) = ({new}, excluded._file_id)"""
    composed = sql.SQL(query).format(
        history=history, target=target, stage=STAGE, prices=_of(None), theirs=_of("t"), known=_of("last"),
        new=_of("excluded"),
    )  # fmt: skip
    cursor.execute(composed, {"as_of": as_of, "file": file_id})


def publish(cursor: psycopg.Cursor[Any], schema: str) -> int:
    """After the scratch table of items was published: make the history equal the scratch one. How many rows were
    touched."""
    history = history_table(schema)
    touched = 0
    same = (
        "r._key = f._key AND r._as_of = f._as_of AND ({theirs}, r._file_id) IS NOT DISTINCT FROM ({ours}, f._file_id)"
    )
    cursor.execute(
        sql.SQL("CREATE TEMP TABLE IF NOT EXISTS qbwatch_scratch_item_prices (LIKE {} INCLUDING ALL)").format(history)
    )
    for statement in (
        "DELETE FROM {history} AS r WHERE NOT EXISTS (SELECT FROM {scratch} AS f WHERE " + same + ")",
        "INSERT INTO {history} SELECT f.* FROM {scratch} AS f WHERE NOT EXISTS"
        " (SELECT FROM {history} AS r WHERE " + same + ")",
    ):
        composed = sql.SQL(statement).format(history=history, scratch=_SCRATCH_HISTORY, theirs=_of("r"), ours=_of("f"))
        touched += cursor.execute(composed).rowcount
    cursor.execute(sql.SQL("DROP TABLE {}").format(_SCRATCH_HISTORY))
    return touched


def _of(alias: str | None) -> sql.Composed:
    names = [sql.Identifier(name) if alias is None else sql.Identifier(alias, name) for name in _PRICES]
    return sql.SQL(", ").join(names)
