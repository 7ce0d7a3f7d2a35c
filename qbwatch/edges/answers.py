"""Questions to the ledger: the facts behind `qbwatch status`, as rows with the keys that the answer shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import sql
from sqlalchemy import Connection, text

from qbwatch.core.expect import Export
from qbwatch.core.facts import Json, LedgerFacts, RelationFacts, moment
from qbwatch.core.freshness import last_whole_day
from qbwatch.core.model import Failure, FailureClass
from qbwatch.datasets import Dataset, Kind, datasets
from qbwatch.edges.incidents import broken_channels, counts
from qbwatch.edges.places import unfolded_datasets
from qbwatch.edges.postgres import driver
from qbwatch.edges.tables import RAW_SCHEMA, raw_table

_FAILED = ("error", "fail", "runtime error")
_SHOWN = 50  # entries of a list in the status; the counts are complete

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


def ledger_facts(connection: Connection, zone: ZoneInfo, at: datetime, raw_schema: str = RAW_SCHEMA) -> LedgerFacts:
    """Everything the status needs from Postgres, in the caller's transaction."""
    waiting: Any = connection.execute(text(_WAITING_COUNT)).one()
    debt = connection.execute(text(_DEBT)).all()
    nodes = [dict(row) for row in connection.execute(text(_NODES)).mappings()]
    return LedgerFacts(
        waiting_count=waiting.count,
        oldest_waiting_at=waiting.oldest,
        waiting=[_shown(dict(row), "next_attempt_at") for row in connection.execute(text(_WAITING)).mappings()],
        quarantined=[_shown(dict(row), "since") for row in connection.execute(text(_QUARANTINED)).mappings()],
        current_run=_run(connection, _CURRENT_RUN),
        last_run=_last_run(connection),
        last_success_at=connection.scalar(text(_LAST_SUCCESS)),
        relations=_relations(connection, zone, lambda dataset: _count(connection, dataset, raw_schema)),
        debt=[row.dataset for row in debt],
        debt_failure=next((_failure_of(row) for row in debt if row.reason), None),
        last_build_at=connection.scalar(text(_LAST_BUILD)),
        failed_nodes=[_node(node) for node in nodes if node["status"] in _FAILED],
        held_up=[dict(row) for row in connection.execute(text(_HELD_UP)).mappings()],
        warned_nodes=[_node(node) for node in nodes if node["status"] == "warn"],
        alerts=counts(connection),
        arrivals=list(connection.scalars(text(_ARRIVALS), {"zone": zone.key, "at": at})),
        exports=exports(connection, at),
        known_since=connection.scalar(text(_KNOWN_SINCE)),
        broken_channels=broken_channels(connection),
        unfolded=unfolded_datasets(connection),
    )


def exports(connection: Connection, at: datetime) -> dict[str, list[Export]]:
    """The exports of the last months by dataset, as far as they came through the input folder or were named."""
    found: dict[str, list[Export]] = {}
    for row in connection.execute(text(_EXPORTS), {"at": at}):
        found.setdefault(row.dataset, []).append(Export(row.as_of, row.arrived_at))
    return found


def trouble_facts(connection: Connection, zone: ZoneInfo, at: datetime) -> LedgerFacts:
    """What tells whether something is wrong, and no more: what only waits isn't listed, and no row of a raw table is
    counted."""
    debt = connection.execute(text(_DEBT)).all()
    nodes = [dict(row) for row in connection.execute(text(_NODES)).mappings()]
    return LedgerFacts(
        waiting_count=0,
        oldest_waiting_at=None,
        waiting=[],
        quarantined=[_shown(dict(row), "since") for row in connection.execute(text(_QUARANTINED)).mappings()],
        current_run=None,
        last_run=_last_run(connection),
        last_success_at=connection.scalar(text(_LAST_SUCCESS)),
        relations=_relations(connection, zone, lambda _dataset: None),
        debt=[row.dataset for row in debt],
        debt_failure=next((_failure_of(row) for row in debt if row.reason), None),
        last_build_at=None,
        failed_nodes=[_node(node) for node in nodes if node["status"] in _FAILED],
        held_up=[dict(row) for row in connection.execute(text(_HELD_UP)).mappings()],
        warned_nodes=[_node(node) for node in nodes if node["status"] == "warn"],
        arrivals=list(connection.scalars(text(_ARRIVALS), {"zone": zone.key, "at": at})),
        exports=exports(connection, at),
        known_since=connection.scalar(text(_KNOWN_SINCE)),
        broken_channels=broken_channels(connection),
        unfolded=unfolded_datasets(connection),
    )


def _shown(row: Json, *moments: str) -> Json:
    return {**row, **{name: moment(row[name]) for name in moments}}


def _failure_of(debt: Any) -> Failure:
    """Why a build didn't pay; a debt of an earlier version says no more than its reason."""
    failure_class = FailureClass(debt.failure_class or FailureClass.CONFIGURATION.value)
    return Failure(failure_class, "transform_failed", debt.reason, debt.hint or "")


def _node(node: Json) -> Json:
    return {name: node[name] for name in ("name", "status", "message")}


def _run(connection: Connection, query: str) -> Json | None:
    row = connection.execute(text(query)).mappings().one_or_none()
    return None if row is None else _shown(dict(row), "started_at")


def _last_run(connection: Connection) -> Json | None:
    row: Any = connection.execute(text(_LAST_RUN)).mappings().one_or_none()
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


def _relations(connection: Connection, zone: ZoneInfo, count: Callable[[Dataset], int | None]) -> list[RelationFacts]:
    """Datasets that were ever loaded and the marts made of them, with the office's day they speak for."""
    through: dict[str, date] = {
        row.dataset: last_whole_day(row.as_of, zone) for row in connection.execute(text(_THROUGH))
    }
    built = {row.name: row.rows for row in connection.execute(text(_BUILT))}
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


def _count(connection: Connection, dataset: Dataset, raw_schema: str) -> int:
    """Rows of a raw table that are current."""
    current = " WHERE _removed_at IS NULL" if dataset.kind is Kind.LIST else ""
    query = sql.SQL("SELECT count(*) FROM {}" + current).format(raw_table(dataset, raw_schema))
    ((rows,),) = driver(connection).execute(query).fetchall()
    return int(rows)


_WAITING_COUNT = """
SELECT count(*) AS count, min(file.first_seen_at) AS oldest
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state IN ('pending', 'loading', 'retrying')"""

_WAITING = f"""
SELECT file.name, item.sheet, item.dataset, item.state, item.next_attempt_at
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state IN ('pending', 'loading', 'retrying') ORDER BY item.id LIMIT {_SHOWN}"""

_QUARANTINED = f"""
SELECT file.name, item.sheet, item.dataset, item.failure_class AS class, item.reason, item.hint,
       item.changed_at AS since
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.state = 'quarantined' ORDER BY item.changed_at DESC LIMIT {_SHOWN}"""

_HELD_UP = """
SELECT failure_code AS code, count(*) AS files, min(changed_at) AS since, max(reason) AS reason, max(hint) AS hint
FROM qbwatch.work_items
WHERE state = 'retrying' OR (state = 'loading' AND failure_code IS NOT NULL) -- while it is tried again it isn't over
GROUP BY failure_code ORDER BY 1"""

_CURRENT_RUN = """
SELECT id, mode, step, dataset, file, done, total, started_at FROM qbwatch.runs WHERE status = 'running'"""

_LAST_RUN = """
SELECT run.id, run.mode, run.status, run.started_at, run.finished_at, run.error, count(item.id) AS files,
       coalesce(sum(item.rows_read), 0) AS read, coalesce(sum(item.rows_inserted), 0) AS inserted,
       coalesce(sum(item.rows_updated), 0) AS updated, coalesce(sum(item.rows_unchanged), 0) AS unchanged,
       coalesce(sum(item.rows_removed), 0) AS removed, coalesce(sum(item.rows_rejected), 0) AS rejected
FROM qbwatch.runs AS run
LEFT JOIN qbwatch.work_items AS item ON item.run_id = run.id AND item.state = 'loaded'
WHERE run.id = (SELECT max(id) FROM qbwatch.runs WHERE status <> 'running')
GROUP BY run.id"""

_LAST_SUCCESS = "SELECT max(finished_at) FROM qbwatch.runs WHERE status = 'success'"

_ARRIVALS = """
SELECT max(first_seen_at) FROM qbwatch.files
WHERE root = 'input' AND first_seen_at > CAST(:at AS timestamptz) - interval '400 days'
GROUP BY (first_seen_at AT TIME ZONE :zone)::date ORDER BY 1"""

# What came again is no news, nor is what the history's folder holds. A file that waits for a person did come.
_EXPORTS = """
SELECT item.dataset, item.as_of, min(file.first_seen_at) AS arrived_at
FROM qbwatch.work_items AS item JOIN qbwatch.files AS file ON file.id = item.file_id
WHERE item.dataset IS NOT NULL AND file.root <> 'seed' AND item.as_of > CAST(:at AS timestamptz) - interval '120 days'
      AND NOT (item.state = 'skipped' AND item.failure_code = 'duplicate')
GROUP BY item.dataset, item.as_of ORDER BY item.as_of"""

_KNOWN_SINCE = "SELECT first_seen_at FROM qbwatch.files ORDER BY id LIMIT 1"

_DEBT = """
SELECT DISTINCT ON (dataset) dataset, reason, failure_class, hint FROM qbwatch.transform_debt
ORDER BY dataset, reason IS NULL, id DESC"""

_LAST_BUILD = "SELECT max(finished_at) FROM qbwatch.dbt_results WHERE status IN ('success', 'pass', 'warn')"

# The newest word on each node, also on those that a person had tested; a node that left the project stops speaking
# after twenty runs.
_NODES = """
SELECT DISTINCT ON (unique_id) name, resource_type, status, message FROM qbwatch.dbt_results
WHERE id >= (SELECT min(id) FROM qbwatch.dbt_results
             WHERE run_id IS NULL OR run_id >= (SELECT max(run_id) - 20 FROM qbwatch.dbt_results))
ORDER BY unique_id, id DESC"""

_BUILT = """
SELECT DISTINCT ON (name) name, rows FROM qbwatch.dbt_results
WHERE resource_type = 'model' AND (name LIKE 'fct%' OR name LIKE 'bridge%') AND status = 'success'
ORDER BY name, id DESC"""

_THROUGH = """
SELECT dataset, max(as_of) AS as_of FROM qbwatch.work_items WHERE state = 'loaded' GROUP BY dataset"""
