"""Status pages of an invented firm in each state: made from the same status that the commands show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from qbwatch.core.facts import DaemonFacts, Json, LedgerFacts, Limits, Problem, RelationFacts, Severity
from qbwatch.core.model import DaemonState, Failure, FailureClass
from qbwatch.core.status import assemble, from_cache
from qbwatch.page.compose import compose
from qbwatch.page.facts import Arrived, PageFacts, RefusedPart, Sales
from qbwatch.page.headline import stopped
from qbwatch.page.view import View

ZONE = ZoneInfo("America/New_York")
AT = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
TODAY = AT.astimezone(ZONE).date()
YESTERDAY = TODAY - timedelta(days=1)
CUSTOMER = "Marker & Söhne <Ltd>"  # a customer's name, which must not be seen anywhere
_NIGHTLY = ("customers", "invoices", "items", "sales_receipts")
_MARTS = {
    "fct_orders": 13_553,
    "fct_order_line_items": 48_190,
    "fct_customers": 812,
    "fct_products": 1_204,
    "fct_companies": 655,
    "bridge_customer_company": 812,
    "fct_product_price_history": 2_087,
    "fct_receivables": 241,
}
IDLE = DaemonFacts(
    DaemonState.IDLE, pid=7, started_at=AT - timedelta(days=9), watcher="inotify", watch_alive=True, last_scan_at=AT
)
REFUSED = RefusedPart(
    "Invoice_11_25_2026_2_00_03.csv",
    None,
    "quickbooks.invoices",
    "unbalanced_quote",
    f"a quote that is opened on line 212 is not closed properly (unexpected end of data) {CUSTOMER}",
    AT - timedelta(hours=7),
)


def ledger(through: date = YESTERDAY) -> LedgerFacts:
    """What the ledger of a calm firm holds."""
    relations = [RelationFacts(name, rows, through) for name, rows in _MARTS.items()]
    relations += [RelationFacts(f"quickbooks.{name}", 4_000, through) for name in _NIGHTLY]
    run = {
        "id": 9, "mode": "incremental", "status": "success", "started_at": AT.isoformat(),
        "finished_at": AT.isoformat(), "files": 4, "error": None,
        "rows": dict.fromkeys(("read", "inserted", "updated", "unchanged", "removed", "rejected"), 7),
    }  # fmt: skip
    return LedgerFacts(0, None, [], [], None, run, AT, relations, [], None, AT, [], [])


def status(facts: LedgerFacts | None = None, daemon: DaemonFacts = IDLE) -> Json:
    """The status, as the daemon gives it."""
    limits = Limits(TODAY, lambda day: False, lambda relation: 2)
    return assemble(facts or ledger(), daemon, limits, answered_by="daemon", version="0.1.0", at=AT)


def page_facts() -> PageFacts:
    """Four calm weeks: exports on business days, sales that go up and down, a return."""
    days = [TODAY - timedelta(days=back) for back in range(27, -1, -1)]
    working = [day for day in days if day.weekday() < 5]
    arrivals: dict[str, dict[date, str]] = {f"quickbooks.{name}": dict.fromkeys(working, "loaded") for name in _NIGHTLY}
    arrivals["quickbooks.invoices"][working[-9]] = "skipped"
    arrivals["quickbooks.items"] = {day: "loaded" for day in working if day.weekday() == 0}
    sales = tuple(
        Sales(day, Decimal(5_200 + 173 * (day.day * 7 % 23) - (9_400 if day == working[-6] else 0)), 12)
        for day in working[:-1]
    )
    rows = {day: 210 + day.day * 37 % 190 for day in working}
    recent = [
        Arrived(f"{stem}_11_25_2026_2_00_0{number}.csv", f"quickbooks.{name}", "loaded", AT - timedelta(hours=7), 61)
        for number, (stem, name) in enumerate([("Customer", "customers"), ("Item", "items"), ("Invoice", "invoices")])
    ]
    recent.append(Arrived("Invoice_11_24_2026_2_00_03 (1).csv", "quickbooks.invoices", "skipped", AT, None))
    return PageFacts(recent=tuple(recent), rows=rows, arrivals=arrivals, sales=sales)


def _problem(code: str, kind: FailureClass, severity: Severity, summary: str, file: str | None = None) -> Problem:
    return Problem(code, kind, severity, summary, "a hint for a shell", AT - timedelta(hours=2), file)


def healthy() -> View:
    """All is well."""
    return compose(status(), page_facts(), ZONE, TODAY)


def warned() -> View:
    """A conflicted copy, a file that waits behind a lock, and figures that grow old."""
    old = replace(
        ledger(date(2026, 11, 20)),
        waiting_count=1,
        waiting=[
            {"name": "Sales_Receipt_11_25_2026_3_00_02.csv", "sheet": None, "dataset": "quickbooks.sales_receipts",
             "state": "retrying", "next_attempt_at": None},
        ],
        held_up=[{"code": "database_locked", "files": 1, "since": AT, "reason": "locked", "hint": "later"}],
    )  # fmt: skip
    copy = "Invoice_11_24_2026_2_00_03 (Reception PC's conflicted copy 2026-11-24).csv"
    doubt = _problem("conflicted_copy", FailureClass.DATA, Severity.WARNING, f"{copy} is a copy", copy)
    return compose(status(old, replace(IDLE, problems=(doubt,))), page_facts(), ZONE, TODAY)


def broken_status() -> Json:
    """A damaged file and one that asks a question, a full disk, and a dashboard that couldn't be built."""
    entry = {
        "name": REFUSED.name, "sheet": None, "dataset": REFUSED.dataset, "class": "data", "reason": REFUSED.reason,
        "hint": f"see {CUSTOMER}", "since": REFUSED.since.isoformat(),
    }  # fmt: skip
    broken = Failure(FailureClass.CONFIGURATION, "transform_failed", f"{CUSTOMER}: no such column", "mend the model")
    facts = replace(ledger(), quarantined=[entry], debt=["quickbooks.items"], debt_failure=broken)
    full = _problem("disk_reserve", FailureClass.INFRASTRUCTURE, Severity.ERROR, "12 MB are free on /srv/secret")
    return status(facts, replace(IDLE, problems=(full,), settling=[("Bill_11_25_2026_2_10_00.csv", AT)]))


def broken_facts() -> PageFacts:
    """What the ledger says then."""
    calm = page_facts()
    question = RefusedPart(
        "01_BACKUP_Customer_11_25_2026.csv", None, "quickbooks.customers", "few_rows", "a full export of 12 rows", AT
    )
    arrivals = {name: dict(days) for name, days in calm.arrivals.items()}
    arrivals["quickbooks.invoices"][TODAY] = "refused"
    arrivals["quickbooks.sales_receipts"][TODAY] = "waiting"
    came = Arrived(REFUSED.name, REFUSED.dataset, "quarantined", REFUSED.since, None)
    return replace(calm, refused=(REFUSED, question), refused_count=2, recent=(came, *calm.recent), arrivals=arrivals)


def broken() -> View:
    """Several things are wrong."""
    return compose(broken_status(), broken_facts(), ZONE, TODAY)


def dead() -> View:
    """The daemon was stopped, and wrote that down."""
    return stopped(healthy(), AT, ZONE)


def unreachable() -> View:
    """Postgres is down, and the last known answer is shown."""
    problem = _problem("database_down", FailureClass.INFRASTRUCTURE, Severity.ERROR, "postgres://secret can't be asked")
    said = from_cache(status(), AT - timedelta(hours=2), problem, IDLE, AT)
    return compose(said, None, ZONE, TODAY)


def empty() -> View:
    """A new installation, into which nothing was put yet."""
    none = replace(ledger(), relations=[], last_run=None, last_success_at=None, last_build_at=None)
    return compose(status(none), PageFacts(), ZONE, TODAY)


STATES = {
    "healthy": healthy,
    "warned": warned,
    "broken": broken,
    "dead": dead,
    "unreachable": unreachable,
    "empty": empty,
}
