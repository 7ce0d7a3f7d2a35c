"""Raw tables in a schema of one's choice: made anew they are filled from the vault, and others' tables are let be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from raw_content import raw_content
from small_exports import NEW_YORK, Office, customers, invoices, items

from qbwatch.core.problems import of_ledger
from qbwatch.edges.answers import ledger_facts
from qbwatch.edges.migrate import migrate
from qbwatch.edges.places import unfolded_datasets
from qbwatch.edges.postgres import driver, engine_for
from qbwatch.edges.tables import ForeignTables, foreign_tables

INVOICE = "Invoice_04_01_2025_2_00_00.csv"
LINES = "SELECT _key, product_service_amount::text FROM raw.quickbooks_invoices ORDER BY _key, _line"


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    made = Office(tmp_path, database_url)
    made.drop(INVOICE, invoices(a=["1.00", "1.00"]))
    made.drop("Customer_04_01_2025_1_00_00.csv", customers(k="Acme"))
    bare = items(i="Rope").replace(b"Item Type", b"Item Type,Sales Price")
    for day, price in (("01", b"5.00"), ("02", b"6.00")):
        priced = bare.replace(b"Service", b"Service," + price)
        made.drop(f"Item_04_{day}_2025_1_00_00.csv", priced)
    made.work()
    return made


def test_a_table_that_was_dropped_is_filled_again_by_the_next_run(office: Office) -> None:
    before = raw_content(office.url)
    assert office.query("SELECT count(*) FROM raw.quickbooks_item_prices") == [(2,)]
    office.execute("DROP TABLE raw.quickbooks_invoices, raw.quickbooks_item_prices")
    migrate(office.url)
    with office.engine.connect() as connection:
        assert unfolded_datasets(connection) == ["quickbooks.invoices", "quickbooks.items"]
        facts = ledger_facts(driver(connection), NEW_YORK, office.at)
    assert [(each.code, each.severity) for each in of_ledger(facts)] == [("raw_table_unfilled", "error")]

    outcome = office.work()

    assert outcome is not None
    assert (outcome.mode, outcome.status) == ("repair", "success")
    assert raw_content(office.url) == before
    assert office.dbt.builds[-1] == ((), True)
    assert office.work() is None


def test_new_files_find_the_table_filled(office: Office) -> None:
    office.execute("DROP TABLE raw.quickbooks_invoices")
    migrate(office.url)
    office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["2.00"]))

    office.work()

    assert office.query(LINES) == [("a", "1.00"), ("a", "1.00"), ("b", "2.00")]


def test_what_can_t_be_filled_is_said_and_not_tried_without_end(office: Office) -> None:
    (copy,) = {
        item for (item,) in office.query("SELECT content_hash FROM qbwatch.work_items WHERE dataset LIKE '%inv%'")
    }
    kept = next(each for each in (office.root / "vault").rglob("*") if str(copy) in each.name)
    content = kept.read_bytes()
    kept.unlink()
    office.execute("DROP TABLE raw.quickbooks_invoices")
    migrate(office.url)

    outcome = office.work()
    assert outcome is not None
    assert (outcome.status, outcome.error is not None) == ("error", True)
    assert office.work() is None
    office.at += timedelta(minutes=6)
    assert office.work() is not None

    kept.write_bytes(content)
    office.at += timedelta(minutes=6)
    office.work()
    assert office.query(LINES) == [("a", "1.00"), ("a", "1.00")]


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE mine.quickbooks_invoices (invoice_no text, amount numeric)",
        "CREATE TABLE mine.quickbooks_items ()",
        "CREATE VIEW mine.quickbooks_terms AS SELECT 1 AS n",
        "CREATE TABLE mine.quickbooks_item_prices (item text)",
    ],
)
def test_tables_that_somebody_else_made_are_refused_and_stay_as_they_are(office: Office, made: str) -> None:
    office.execute("CREATE SCHEMA mine")
    office.execute(made)
    catalog = (
        "SELECT attrelid::regclass::text, attname::text FROM pg_attribute WHERE attrelid::regclass::text LIKE 'mine.%'"
    )
    before = sorted(office.query(catalog))

    with pytest.raises(ForeignTables, match=r"mine\.quickbooks_\w+ exists and isn't qbwatch's"):
        migrate(office.url, "mine")

    assert sorted(office.query(catalog)) == before
    with engine_for(office.url).connect() as connection:
        assert len(foreign_tables(connection, "mine")) == 1
        assert foreign_tables(connection, "raw") == []


def test_a_loader_works_in_its_own_schema_alone(office: Office) -> None:
    migrate(office.url, "second")
    pipeline = office.pipeline
    pipeline = replace(pipeline, loader=replace(pipeline.loader, raw_schema="second"))
    before = raw_content(office.url)
    with office.engine.connect() as connection:
        plan = pipeline.plan(connection)
        assert plan is not None
        assert plan.why.startswith("raw tables made anew are to be filled from the vault: quickbooks.customers, ")
        pipeline.run(connection, plan)

    assert office.query(LINES.replace("raw.", "second.")) == office.query(LINES)
    office.execute("DROP SCHEMA second CASCADE")
    assert raw_content(office.url) == before
