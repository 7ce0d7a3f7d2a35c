"""Questions to the ledger and the marts for the status page: single files and the days of the last weeks.

Of the marts only sums by day are asked for: no name of a customer leaves the database here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from qbwatch.edges.postgres import DATABASE_ERRORS
from qbwatch.log import get_logger
from qbwatch.page.charts import SPAN
from qbwatch.page.facts import Arrived, PageFacts, RefusedPart, Sales

log = get_logger(__name__)

_REFUSED_AT_MOST = 500
_RECENT = 8
_PATIENCE = "SET LOCAL statement_timeout = '20s'"
_NEEDED = {"order_date", "total_amount", "is_void", "is_pending", "currency"}


@dataclass(slots=True)
class LastFacts:
    """The facts as they were known last; the sales, which take the longest, are asked for anew after a build."""

    mart_schema: str
    zone: ZoneInfo
    known: PageFacts | None = None
    _sales_of: object = None

    def ask(self, engine: Engine, built_at: str | None, today: date) -> PageFacts | None:
        """The facts now, or those of before when Postgres doesn't answer; ``built_at`` names the last build."""
        try:
            with engine.connect() as connection, connection.begin():
                connection.execute(text(_PATIENCE))
                facts = page_facts(connection, self.zone, today)
                if (built_at, today) != self._sales_of:
                    facts = replace(facts, sales=sales_by_day(connection, self.mart_schema, today))
                else:
                    facts = replace(facts, sales=self.known.sales if self.known else None)
        except DATABASE_ERRORS as error:
            log.debug("the page keeps what it knew", reason=type(error).__name__)
            return self.known
        self.known, self._sales_of = facts, (built_at, today)
        return facts


def page_facts(connection: Connection, zone: ZoneInfo, today: date) -> PageFacts:
    """Everything but the sales, in the caller's transaction; ``today`` is the office's."""
    since = {"zone": zone.key, "first": today - timedelta(days=SPAN - 1)}
    refused: Any = connection.execute(text(_REFUSED)).all()
    arrivals: dict[str, dict[date, str]] = {}
    for row in connection.execute(text(_ARRIVALS), since):
        arrivals.setdefault(row.dataset, {})[row.day] = _outcome(row.states)
    return PageFacts(
        refused=tuple(
            RefusedPart(row.name, row.sheet, row.dataset, row.code or "", row.reason or "", row.changed_at)
            for row in refused
        ),
        refused_count=refused[0].total if refused else 0,
        recent=tuple(
            Arrived(
                row.name,
                row.dataset if row.datasets == 1 else None,
                _STATES[_outcome(row.states)],
                row.first_seen_at,
                row.rows,
            )
            for row in connection.execute(text(_RECENT_FILES))
        ),
        rows=rows_by_day(connection, zone, today),
        arrivals=arrivals,
    )


def rows_by_day(connection: Connection, zone: ZoneInfo, today: date) -> dict[date, int]:
    """Rows that the files of each of the last weeks' days changed in the raw tables; history left out."""
    since = {"zone": zone.key, "first": today - timedelta(days=SPAN - 1)}
    return {row.day: int(row.rows) for row in connection.execute(text(_ROWS), since)}


def sales_by_day(connection: Connection, schema: str, today: date) -> tuple[Sales, ...] | None:
    """The last weeks' sales up to the newest document, oldest first, of the mart in ``schema``.

    None where that can't be told: another dbt project has no such mart, or the orders are in several currencies.
    """
    columns = {"schema": schema, "names": sorted(_NEEDED)}
    if connection.execute(text(_COLUMNS), columns).scalar_one() != len(_NEEDED):
        return None
    query = _SALES.format(mart='"' + schema.replace('"', '""') + '".fct_orders')
    rows: Any = connection.execute(text(query), {"today": today, "span": SPAN}).all()
    if len({currency for row in rows for currency in row.currencies}) > 1:
        return None
    return tuple(Sales(row.order_date, row.amount, row.orders) for row in rows)


_STATES = {"refused": "quarantined", "waiting": "pending", "loaded": "loaded", "skipped": "skipped"}


def _outcome(states: list[str]) -> str:
    """What became of several parts: what a person has to know comes first."""
    if "quarantined" in states:
        return "refused"
    if {"pending", "loading", "retrying"} & set(states):
        return "waiting"
    return "loaded" if "loaded" in states else "skipped"


_REFUSED = f"""
SELECT file.name, item.sheet, item.dataset, item.failure_code AS code, item.reason, item.changed_at,
       count(*) OVER () AS total
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state = 'quarantined' ORDER BY item.changed_at DESC, item.id DESC LIMIT {_REFUSED_AT_MOST}"""

_RECENT_FILES = f"""
SELECT file.name, file.first_seen_at, array_agg(DISTINCT item.state) AS states,
       min(item.dataset) AS dataset, count(DISTINCT item.dataset) AS datasets, sum(item.rows_read)::bigint AS rows
FROM (SELECT id, name, first_seen_at FROM qbwatch.files ORDER BY id DESC LIMIT {_RECENT}) AS file
JOIN qbwatch.work_items AS item ON item.file_id = file.id
GROUP BY file.id, file.name, file.first_seen_at ORDER BY file.id DESC"""

_ARRIVALS = """
SELECT item.dataset, (file.first_seen_at AT TIME ZONE :zone)::date AS day, array_agg(DISTINCT item.state) AS states
FROM qbwatch.files AS file JOIN qbwatch.work_items AS item ON item.file_id = file.id
WHERE file.root = 'input' AND item.dataset IS NOT NULL
  AND file.first_seen_at >= CAST(:first AS date)::timestamp AT TIME ZONE :zone
GROUP BY 1, 2"""

_ROWS = """
SELECT (item.loaded_at AT TIME ZONE :zone)::date AS day,
       sum(item.rows_inserted + item.rows_updated + item.rows_removed) AS rows
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state = 'loaded' AND file.root <> 'seed'
  AND item.loaded_at >= CAST(:first AS date)::timestamp AT TIME ZONE :zone
GROUP BY 1"""

_COLUMNS = """
SELECT count(*) FROM information_schema.columns
WHERE table_schema = :schema AND table_name = 'fct_orders' AND column_name = ANY(:names)"""

_SALES = """
SELECT order_date, sum(total_amount) AS amount, count(*) AS orders,
       array_remove(array_agg(DISTINCT currency), NULL) AS currencies
FROM {mart}
WHERE is_void IS NOT TRUE AND is_pending IS NOT TRUE AND total_amount IS NOT NULL
  AND order_date <= :today AND order_date > (SELECT max(order_date) FROM {mart} WHERE order_date <= :today) - :span
GROUP BY order_date ORDER BY order_date"""
