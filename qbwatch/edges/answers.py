"""Questions to the ledger: the facts behind `qbwatch status`, as rows with the keys that the answer shows.

They are put to psycopg itself: the command asks them where no daemon does, and importing SQLAlchemy would take longer
than all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import dict_row, namedtuple_row

from qbwatch.core.cadence import FRESH
from qbwatch.core.expect import CLOCKS_DIFFER, Export
from qbwatch.core.facts import Json, LedgerFacts, RelationFacts, moment
from qbwatch.core.freshness import last_whole_day
from qbwatch.core.model import Failure, FailureClass
from qbwatch.datasets import Dataset, Kind, datasets
from qbwatch.edges import status_queries as queries
from qbwatch.edges.raw_names import RAW_SCHEMA, raw_table

Session = psycopg.Connection[Any]

_FAILED = ("error", "fail", "runtime error")

# What each mart is made of: it is as current as the oldest of these that was ever loaded.
MARTS = {
    "fct_orders": ("quickbooks.invoices", "quickbooks.sales_receipts"),
    "fct_order_line_items": ("quickbooks.invoices", "quickbooks.sales_receipts"),
    "fct_customers": ("quickbooks.customers",),
    "fct_products": ("quickbooks.items",),
    "fct_companies": ("quickbooks.customers",),
    "bridge_customer_company": ("quickbooks.customers",),
    "fct_product_price_history": ("quickbooks.items",),
    "fct_receivables": ("quickbooks.invoices",),
}


def ledger_facts(session: Session, zone: ZoneInfo, at: datetime, raw_schema: str = RAW_SCHEMA) -> LedgerFacts:
    """Everything the status needs from Postgres, in the caller's transaction."""
    (waiting,) = _rows(session, queries.WAITING_COUNT)
    debt = _rows(session, queries.DEBT)
    nodes = _entries(session, queries.NODES)
    return LedgerFacts(
        waiting_count=waiting.count,
        oldest_waiting_at=waiting.oldest,
        waiting=[_shown(row, "next_attempt_at") for row in _entries(session, queries.WAITING)],
        quarantined=[_shown(row, "since") for row in _entries(session, queries.QUARANTINED)],
        current_run=_run(session, queries.CURRENT_RUN),
        last_run=_last_run(session),
        last_success_at=_value(session, queries.LAST_SUCCESS),
        relations=_relations(session, zone, lambda dataset: _count(session, dataset, raw_schema)),
        debt=[row.dataset for row in debt],
        debt_failure=next((_failure_of(row) for row in debt if row.reason), None),
        last_build_at=_value(session, queries.LAST_BUILD),
        failed_nodes=[_node(node) for node in nodes if node["status"] in _FAILED],
        held_up=_entries(session, queries.HELD_UP),
        warned_nodes=[_node(node) for node in nodes if node["status"] == "warn"],
        alerts=alert_counts(session),
        arrivals=_arrivals(session, zone, at),
        exports=exports(session, zone, at),
        known_since=_value(session, queries.KNOWN_SINCE),
        broken_channels=_entries(session, queries.BROKEN_CHANNELS),
        unfolded=[row.dataset for row in _rows(session, queries.UNFOLDED)],
    )


def exports(session: Session, zone: ZoneInfo, at: datetime) -> dict[str, list[Export]]:
    """The exports of the last months by dataset, as far as they came through the input folder or were named.

    Of those that speak for the same day of the office only what `core.expect` and `core.cadence` have to know.
    """
    values = {"zone": zone.key, "at": at, "ahead": CLOCKS_DIFFER, "fresh": FRESH}
    found: dict[str, list[Export]] = {}
    for row in _rows(session, queries.EXPORTS, values):
        found.setdefault(row.dataset, []).append(Export(row.as_of, row.arrived_at))
    return found


def trouble_facts(session: Session, zone: ZoneInfo, at: datetime) -> LedgerFacts:
    """What tells whether something is wrong, and no more: what only waits isn't listed, and no row of a raw table is
    counted."""
    debt = _rows(session, queries.DEBT)
    nodes = _entries(session, queries.NODES)
    return LedgerFacts(
        waiting_count=0,
        oldest_waiting_at=None,
        waiting=[],
        quarantined=[_shown(row, "since") for row in _entries(session, queries.QUARANTINED)],
        current_run=None,
        last_run=_last_run(session),
        last_success_at=_value(session, queries.LAST_SUCCESS),
        relations=_relations(session, zone, lambda _dataset: None),
        debt=[row.dataset for row in debt],
        debt_failure=next((_failure_of(row) for row in debt if row.reason), None),
        last_build_at=None,
        failed_nodes=[_node(node) for node in nodes if node["status"] in _FAILED],
        held_up=_entries(session, queries.HELD_UP),
        warned_nodes=[_node(node) for node in nodes if node["status"] == "warn"],
        arrivals=_arrivals(session, zone, at),
        exports=exports(session, zone, at),
        known_since=_value(session, queries.KNOWN_SINCE),
        broken_channels=_entries(session, queries.BROKEN_CHANNELS),
        unfolded=[row.dataset for row in _rows(session, queries.UNFOLDED)],
    )


def alert_counts(session: Session) -> Json:
    """The status' ``alerts``."""
    (counts,) = _entries(session, queries.ALERTS)
    return counts


def _arrivals(session: Session, zone: ZoneInfo, at: datetime) -> list[datetime]:
    return [row.max for row in _rows(session, queries.ARRIVALS, {"zone": zone.key, "at": at})]


def _rows(session: Session, query: str, values: Mapping[str, object] | None = None) -> list[Any]:
    return session.cursor(row_factory=namedtuple_row).execute(query.encode(), values).fetchall()


def _entries(session: Session, query: str) -> list[Json]:
    return session.cursor(row_factory=dict_row).execute(query.encode()).fetchall()


def _value(session: Session, query: str) -> Any:
    """The only column of the first row; None without one."""
    return next((value for (value,) in session.execute(query.encode()).fetchall()), None)


def _shown(row: Json, *moments: str) -> Json:
    return {**row, **{name: moment(row[name]) for name in moments}}


def _failure_of(debt: Any) -> Failure:
    """Why a build didn't pay; a debt of an earlier version says no more than its reason."""
    failure_class = FailureClass(debt.failure_class or FailureClass.CONFIGURATION.value)
    return Failure(failure_class, "transform_failed", debt.reason, debt.hint or "")


def _node(node: Json) -> Json:
    return {name: node[name] for name in ("name", "status", "message")}


def _run(session: Session, query: str) -> Json | None:
    row = next(iter(_entries(session, query)), None)
    return None if row is None else _shown(row, "started_at")


def _last_run(session: Session) -> Json | None:
    row = next(iter(_entries(session, queries.LAST_RUN)), None)
    if row is None:
        return None
    counts = ("read", "inserted", "updated", "unchanged", "removed", "rejected")
    return {
        "id": row["id"],
        "mode": row["mode"],
        "status": row["status"],
        "started_at": moment(row["started_at"]),
        "finished_at": moment(row["finished_at"]),
        "files": row["files"],
        "rows": {name: int(row[name]) for name in counts},
        "error": row["error"],
    }


def _relations(session: Session, zone: ZoneInfo, count: Callable[[Dataset], int | None]) -> list[RelationFacts]:
    """Datasets that were ever loaded and the marts made of them, with the office's day they speak for."""
    through: dict[str, date] = {
        row.dataset: last_whole_day(row.as_of, zone)
        for row in _rows(session, queries.THROUGH, {"datasets": list(datasets())})
    }
    built = {row.name: row.rows for row in _rows(session, queries.BUILT, {"marts": list(MARTS)})}
    found = []
    for mart, parents in MARTS.items():
        known = [through[parent] for parent in parents if parent in through]
        if mart in built or known:
            current = min(known, default=None) if mart in built else None
            found.append(RelationFacts(mart, built.get(mart), current))
    for name, dataset in datasets().items():
        if name in through:
            found.append(RelationFacts(name, count(dataset), through[name]))
    return found


def _count(session: Session, dataset: Dataset, raw_schema: str) -> int:
    """Rows of a raw table that are current."""
    current = " WHERE _removed_at IS NULL" if dataset.kind is Kind.LIST else ""
    query = sql.SQL("SELECT count(*) FROM {}" + current).format(raw_table(dataset, raw_schema))
    ((rows,),) = session.execute(query).fetchall()
    return int(rows)
