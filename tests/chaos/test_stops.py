"""SIGTERM in the middle of things: a clean end within seconds, and the next start goes on as if nothing had been."""

from __future__ import annotations

import time
from collections.abc import Callable

from aftermath import assert_nothing_is_left_over, dbt_processes, dbt_sessions
from holding import drop_all, held, items, waits_in_a_load
from installation import Installation
from waiting import wait_until

from qbwatch.demo.exports import ExportFile

STOPS_WITHIN = 15.0  # seconds, on a busy machine; what was measured is printed


def stop(installation: Installation, during: str) -> None:
    """Stop the daemon and print how long that took."""
    began = time.monotonic()
    assert installation.stop(STOPS_WITHIN) == 0, installation.log
    print(f"\nstopped {time.monotonic() - began:.1f} s after SIGTERM {during}")


def test_stopped_in_a_load_the_item_waits_as_if_it_had_never_been_tried(
    install: Callable[..., Installation], customers_and_invoices: list[ExportFile]
) -> None:
    customers, invoices = (file.name for file in customers_and_invoices)
    installation = install()
    installation.start()
    with held(installation.url, "quickbooks_invoices"):
        drop_all(customers_and_invoices, installation.root / "drop")
        wait_until(lambda: waits_in_a_load(installation), 60, "the load of invoices to be held up")
        stop(installation, "in a load that waits for a table lock")

    assert items(installation) == {customers: ("loaded", 1, 0), invoices: ("pending", 0, 0)}
    runs = installation.query("SELECT status FROM qbwatch.runs")
    assert runs == [("cancelled",)]

    installation.start()
    installation.wait_settled(2)
    assert items(installation) == {customers: ("loaded", 1, 0), invoices: ("loaded", 1, 0)}
    assert_nothing_is_left_over(installation)


def test_stopped_while_dbt_runs_its_work_stays_owed(
    install: Callable[..., Installation], customers_and_invoices: list[ExportFile]
) -> None:
    installation = install()
    installation.start()
    drop_all(customers_and_invoices, installation.root / "drop")
    wait_until(lambda: dbt_sessions(installation), 60, "dbt to be in the database")
    stop(installation, "while dbt was in the database")

    assert list(dbt_processes(installation.root)) == []
    assert dbt_sessions(installation) == []
    assert {state for state, _, _ in items(installation).values()} == {"loaded"}
    owed = installation.query("SELECT dataset, attempt FROM qbwatch.transform_debt ORDER BY 1")
    assert owed == [("quickbooks.customers", 0), ("quickbooks.invoices", 0)]

    installation.start()
    status = installation.wait_settled(2)
    assert status["last_run"]["status"] == "success"
    assert installation.query("SELECT count(*) > 0 FROM analytics_mart.fct_orders") == [(True,)]
    assert_nothing_is_left_over(installation)
