"""What the script before this one got wrong, from files to marts: each of its failures can't happen any more.

It chose no mode by itself, loaded the newest file whatever came late, kept one of two equal lines, never took a deleted
line away, counted a document's total once per line, called a file done before it was loaded, and failed in silence.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from small_exports import Office, customers, invoices
from watching import watched

from qbwatch.core.model import Mode, RunStatus
from qbwatch.edges.dbt import Dbt, DbtSettings
from qbwatch.edges.dbt_views import SparingDbt
from qbwatch.edges.shipped import shipped

HEADER = "QuickBooks Internal Id,Invoice No,Invoice Date,Customer,Product/Service,Product/Service  Amount,Total Amount"
LINES = "SELECT amount FROM analytics_mart.fct_order_line_items WHERE order_key = 'invoice:a' ORDER BY line_number"
REVENUE = "SELECT sum(total_amount) FROM analytics_mart.fct_orders"
BY_MONTH = """
    SELECT date_trunc('month', invoice_date)::date, sum(product_service_amount) FROM raw.quickbooks_invoices GROUP BY 1
    EXCEPT SELECT date_trunc('month', order_date)::date, sum(total_amount) FROM analytics_mart.fct_orders GROUP BY 1"""


def with_totals(*lines: tuple[str, str, str, str]) -> bytes:
    """Invoices whose total stands on each of their lines: id, day, amount, total."""
    rows = (f"{key},N-{key},{day},Acme,Rope,{amount},{total}" for key, day, amount, total in lines)
    return "".join(f"{row}\r\n" for row in (HEADER, *rows)).encode()


@pytest.fixture
def firm(office: Office, tmp_path: Path) -> Office:
    """An office whose data the shipped project transforms."""
    dbt = Dbt(DbtSettings(shipped("dbt"), tmp_path / "state", office.url))
    office.dbt = SparingDbt(dbt)  # type: ignore[assignment]
    return office


def test_equal_lines_deleted_lines_late_files_and_totals_come_out_right(firm: Office) -> None:
    twins = [("a", "04-01-2025", "10.00", "20.00")] * 2
    firm.drop("Invoice_04_02_2025_2_00_00.csv", with_totals(*twins, ("b", "03-31-2025", "7.00", "7.00")))
    firm.drop("Customer_04_02_2025_1_00_00.csv", customers(c="Acme"))  # came later, and is needed first

    first = firm.work()

    assert first is not None
    assert (first.mode, first.status) == (Mode.SEED, RunStatus.SUCCESS)
    assert firm.query(LINES) == [(Decimal("10.00"),), (Decimal("10.00"),)]
    assert firm.query(REVENUE) == [(Decimal("27.00"),)]
    assert firm.query("SELECT count(*) FROM analytics_mart.fct_orders WHERE is_orphan") == [(0,)]
    late = [("a", "04-01-2025", amount, "25.00") for amount in ("10.00", "10.00", "5.00")]
    firm.drop("Invoice_04_01_2025_2_00_00.csv", with_totals(*late))  # as it was before a line was deleted

    with watched(firm.url, "SELECT count(*) FROM analytics_staging.stg_quickbooks__invoices WHERE amount = 10") as seen:
        second = firm.work()

    assert seen == [2]  # the tables under the views were never empty, dropped or locked
    assert second is not None
    assert (second.mode, second.status) == (Mode.INCREMENTAL, RunStatus.SUCCESS)
    assert firm.query(LINES) == [(Decimal("10.00"),), (Decimal("10.00"),)]
    assert firm.query(BY_MONTH) == []
    firm.drop("Invoice_04_03_2025_2_00_00.csv", with_totals(("a", "04-01-2025", "10.00", "10.00")))
    firm.work()
    assert firm.query(LINES) == [(Decimal("10.00"),)]
    assert firm.query(REVENUE) == [(Decimal("17.00"),)]
    assert firm.query(BY_MONTH) == []


def test_a_file_is_done_when_it_is_loaded_and_a_failure_is_told(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.drop("Invoice_04_02_2025_2_00_00.csv", b"QuickBooks Internal Id,Invoice No\r\nx,1\r\n")
    for copy in (office.root / "vault").rglob("*.zst"):  # nothing of either can be loaded now
        copy.unlink()

    failed = office.work()

    assert failed is not None
    assert failed.status is RunStatus.ERROR
    assert failed.error
    assert office.query("SELECT count(*) FROM qbwatch.processed_files") == [(0,)]
    status = "SELECT overall_status, error_summary IS NOT NULL FROM qbwatch.pipeline_status"
    assert office.query(status) == [("error", True)]
    assert "loaded" not in {state for _, state in office.states()}
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))  # the same bytes bring the copy back
    office.work()
    assert office.query("SELECT filename FROM qbwatch.processed_files") == [("Invoice_04_01_2025_2_00_00.csv",)]
