"""What the ledger keeps of dbt's results, and for how long; and whose fault it says a failure is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from small_exports import FakeDbt, Office, invoices
from sqlalchemy import Connection

from qbwatch.core.problems import of_ledger
from qbwatch.edges.answers import ledger_facts
from qbwatch.edges.dbt import NodeResult, Outcome, TransformResult
from qbwatch.edges.dbt_history import KEPT_FOR, never_built, prune, record_nodes, was_built
from qbwatch.edges.dbt_result import Relation
from qbwatch.edges.postgres import driver, engine_for

AT = datetime(2025, 4, 20, tzinfo=UTC)
KEPT = "SELECT name, status, finished_at FROM qbwatch.dbt_results ORDER BY id"


def said(name: str, status: str, found_in: str | None = None) -> NodeResult:
    kind = "test" if status in ("pass", "fail", "warn") else "model"
    return NodeResult(f"{kind}.{name}", name, kind, status, 0.1, 2, f"{name} {status}", found_in)


def record(connection: Connection, at: datetime, *nodes: NodeResult) -> None:
    record_nodes(connection, None, TransformResult(Outcome.BUILT, nodes), at)


def test_results_go_after_a_while_but_for_the_newest_word_and_the_newest_success(database_url: str) -> None:
    with engine_for(database_url).begin() as connection:
        record(connection, AT, said("fct_orders", "success"), said("fct_products", "success"), said("a_test", "pass"))
        record(connection, AT + timedelta(days=1), said("fct_orders", "success"), said("fct_products", "error"))
        record(connection, AT + timedelta(days=2), said("a_test", "fail"))
        late = AT + timedelta(days=3) + KEPT_FOR

        record(connection, late, said("fct_companies", "success"))

        kept = connection.exec_driver_sql(KEPT).all()
        assert [(row.name, row.status) for row in kept] == [
            ("fct_products", "success"),
            ("fct_orders", "success"),
            ("fct_products", "error"),
            ("a_test", "fail"),
            ("fct_companies", "success"),
        ]
        assert was_built(connection)
        assert never_built(connection, ["model.fct_orders", "model.fct_products", "model.none"]) == ["model.none"]


def test_results_are_bounded_in_number_too(database_url: str) -> None:
    with engine_for(database_url).begin() as connection:
        for hour in range(30):
            record(connection, AT + timedelta(hours=hour), said("fct_orders", "success"), said("a_test", "pass"))

        gone = prune(connection, AT + timedelta(hours=30), kept_rows=10)

        assert gone == 50
        kept = connection.exec_driver_sql(KEPT).all()
        assert min(row.finished_at for row in kept) == AT + timedelta(hours=25)


@pytest.mark.parametrize(
    ("outcome", "failure_class"),
    [
        (Outcome.TESTS_FAILED, "data"),
        (Outcome.INFRASTRUCTURE, "infrastructure"),
        (Outcome.CONFIGURATION, "configuration"),
        (Outcome.MODEL_ERROR, "configuration"),
        (Outcome.TIMED_OUT, "configuration"),
    ],
)
def test_the_status_says_whose_fault_a_failed_build_is(office: Office, outcome: Outcome, failure_class: str) -> None:
    broken = said("fct_orders", "error")
    office.dbt.answer = TransformResult(outcome, (broken,), "something broke", "mend the thing")
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()

    with office.engine.begin() as connection:
        facts = ledger_facts(driver(connection), ZoneInfo("UTC"), AT)

    (problem,) = [each for each in of_ledger(facts) if each.code == "transform_failed"]
    assert (problem.failure_class.value, problem.hint) == (failure_class, "mend the thing")
    assert problem.summary == "dbt failed: something broke"


def test_a_test_that_a_person_ran_and_that_failed_is_a_problem_until_it_passes(office: Office) -> None:
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()
    with office.engine.begin() as connection:
        record(connection, AT, said("unique_orders", "fail", "analytics_quality.unique_orders"))
        failed = of_ledger(ledger_facts(driver(connection), ZoneInfo("UTC"), AT))
        record(connection, AT, said("unique_orders", "pass"))
        passed = of_ledger(ledger_facts(driver(connection), ZoneInfo("UTC"), AT))

    assert [(each.code, each.failure_class.value) for each in failed] == [("transform_failed", "data")]
    assert "unique_orders" in failed[0].summary
    assert passed == []


def test_what_somebody_dropped_is_built_again_with_all_it_stands_on(office: Office) -> None:
    """A build for one dataset doesn't touch what stands on others alone; whether that is there is asked each time."""
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    office.work()
    office.execute("CREATE SCHEMA analytics_mart; CREATE TABLE analytics_mart.fct_products ()")
    places = {
        "model.fct_orders": Relation("analytics_mart", "fct_orders", "table"),
        "model.fct_products": Relation("analytics_mart", "fct_products", "table"),
    }
    office.dbt = FakeDbt()
    office.dbt.answer = TransformResult(Outcome.BUILT, (said("fct_orders", "success"),), relations=places)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
    office.work()
    assert [select for select, _ in office.dbt.builds] == [("source:quickbooks.invoices+",)]
    office.execute("DROP SCHEMA analytics_mart CASCADE")
    office.drop("Invoice_04_03_2025_2_00_00.csv", invoices(c=["20.00"]))

    office.work()

    assert [select for select, _ in office.dbt.builds[1:]] == [("source:quickbooks.invoices+",), ()]
    office.dbt.builds.clear()
    with office.engine.begin() as connection:  # its own build failed: that it isn't there is no news
        record(connection, AT, said("fct_products", "error"))
    office.drop("Invoice_04_04_2025_2_00_00.csv", invoices(d=["20.00"]))
    office.work()
    assert [select for select, _ in office.dbt.builds] == [("source:quickbooks.invoices+",)]
