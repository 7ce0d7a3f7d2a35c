"""The shipped dbt project on a real Postgres: the rules of the books, and the figures of the export corpus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt_raw_tables import Row, asked, by, create_raw_tables, insert
from watching import watched

from qbwatch.edges.dbt import Dbt, DbtSettings, NodeResult, Outcome, TransformResult
from qbwatch.edges.dbt_views import SparingDbt

PROJECT = Path(__file__).parents[2] / "dbt"
MARTS = (
    "fct_orders",
    "fct_order_line_items",
    "fct_customers",
    "fct_products",
    "fct_companies",
    "bridge_customer_company",
    "fct_product_price_history",
    "fct_receivables",
)


@pytest.fixture(scope="module")
def warm_dbt(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """One dbt for all of these tests, kept warm, so that the project is parsed once."""
    dbt = Dbt(DbtSettings(PROJECT, tmp_path_factory.mktemp("state"), module_database_url))
    dbt.warm_up()
    yield dbt
    dbt.close()


@pytest.fixture
def books(module_database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to a database with all raw tables, empty, and nothing built from them."""
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        for schema in ("raw", *(f"analytics_{part}" for part in ("staging", "intermediate", "mart", "quality"))):
            connection.execute(f"drop schema if exists {schema} cascade")  # type: ignore[arg-type]
        create_raw_tables(connection)
        yield connection
        connection.execute("drop view if exists public.dashboard, public.staged")


@pytest.fixture
def dbt(warm_dbt: Dbt, books: psycopg.Connection) -> Dbt:
    return warm_dbt


def invoice(key: str, *lines: Row, **header: object) -> list[Row]:
    """Lines of an invoice with the header repeated on each; a value of a line wins over the header's."""
    values = {"invoice_no": f"N{key}", "invoice_date": date(2025, 4, 1), "customer": "Acme", "status": "Open", **header}
    return [{**values, **line, "_key": key, "_line": at} for at, line in enumerate(lines, start=1)]


def receipt(key: str, *lines: Row, **header: object) -> list[Row]:
    """Lines of a sales receipt, header only where a line says it or ``header`` does."""
    values = {"sales_receipt_date": date(2025, 4, 2), **header}
    return [{**values, **line, "_key": key, "_line": at} for at, line in enumerate(lines, start=1)]


def line(product: str | None, amount: str | None, **more: object) -> Row:
    exact = None if amount is None else Decimal(amount)
    return {"product_service": product, "product_service_amount": exact, **more}


def value(connection: psycopg.Connection, query: str) -> Any:
    (row,) = asked(connection, query)
    (found,) = row.values()
    return found


def warned(result: TransformResult) -> dict[str, NodeResult]:
    assert result.succeeded, result
    return {node.name: node for node in result.nodes if node.status == "warn"}


def test_an_empty_database_builds(books: psycopg.Connection, dbt: Dbt) -> None:
    result = dbt.build(full_refresh=True)

    assert result.outcome is Outcome.BUILT, result
    assert [value(books, f"select count(*) from analytics_mart.{mart}") for mart in MARTS] == [0] * len(MARTS)


def test_the_logic_of_the_models_holds_and_every_column_is_described(books: psycopg.Connection, dbt: Dbt) -> None:
    assert dbt.build().outcome is Outcome.BUILT

    result = dbt.test(["test_type:unit"])

    assert result.outcome is Outcome.BUILT, result
    assert {node.resource_type for node in result.nodes} == {"unit_test"}
    assert {node.name for node in result.nodes} >= {
        "test_a_document_is_void_by_memo_and_zero_lines_together",
        "test_header_values_are_taken_once_per_document",
        "test_subtotals_and_groups_are_not_counted_twice",
    }
    described = """
        select relnamespace::regnamespace || '.' || relname || '.' || attname as name
        from pg_class join pg_attribute on attrelid = pg_class.oid
        where relnamespace::regnamespace::text like 'analytics%' and relkind in ('r', 'v') and attnum >= 0
          and relnamespace::regnamespace::text <> 'analytics_quality'
          and not attisdropped and coalesce(col_description(pg_class.oid, attnum), '') {} ''
    """
    assert asked(books, described.format("=")) == []
    assert len(asked(books, described.format("<>"))) > 300
    relations = asked(
        books,
        "select relname, obj_description(oid, 'pg_class') as text, relnamespace::regnamespace::text as schema"
        " from pg_class where relnamespace::regnamespace::text like 'analytics%' and relkind in ('r', 'v')"
        " and relnamespace::regnamespace::text <> 'analytics_quality'",
    )
    assert all(relation["text"] for relation in relations)
    assert {relation["schema"] for relation in relations} == {
        "analytics_staging",
        "analytics_intermediate",
        "analytics_mart",
    }
    assert {relation["relname"] for relation in relations if relation["schema"] == "analytics_mart"} == set(MARTS)


def test_orders_follow_the_rules_of_the_books(books: psycopg.Connection, dbt: Dbt) -> None:
    tax = {"total_amount": Decimal("99.62"), "total_tax": Decimal("6.62")}
    total = {"total_amount": Decimal("30.00"), "total_tax": Decimal("0.00")}
    insert(
        books,
        "items",
        {"_key": "i1", "item_name": "Fender", "item_subtype": "ItemInventory"},
        {"_key": "i2", "item_name": "Sum so far", "item_subtype": "ItemSubtotal"},
        {"_key": "i3", "item_name": "Kit", "item_subtype": "ItemGroup"},
        {"_key": "i4", "item_name": "Markdown", "item_subtype": "ItemDiscount"},
        {"_key": "i5", "item_name": "State tax", "item_subtype": "ItemSalesTax"},
    )
    insert(
        books,
        "customers",
        {"_key": "c1", "customer_name": "Acme", "company_name": "Acme LLC", "status": True},
        {"_key": "c2", "customer_name": "Acme:Job\u00a01", "status": True},
        {"_key": "c3", "customer_name": "Gone", "status": True, "_removed_at": datetime(2025, 4, 3, tzinfo=UTC)},
    )
    insert(
        books,
        "invoices",
        *invoice(
            "discounted",
            line("Fender", "100.00", product_service_quantity=4, product_service_rate=25),
            line(None, None, product_service_description="*** see drawing ***"),
            line("Sum so far", "100.00"),
            line("Markdown", "-7.00", product_service_rate_percent=-7),
            line("State tax", "6.62", product_service_rate_percent=Decimal("6.625")),
            **tax,
        ),
        *invoice(
            "twins", line("Fender", "10.00"), line("Fender", "10.00"), line("Fender", "10.00"), status="Paid", **total
        ),
        *invoice(
            "voided",
            line("Fender", "0.00", product_service_quantity=0),
            line("State tax", None),
            status="Paid",
            memo=" void: by phone",
            total_amount=Decimal("30.00"),
            total_tax=Decimal("2.00"),
        ),
        *invoice("void word", line("Fender", "5.00"), memo="VOID cheque enclosed", total_amount=5, status="Paid"),
        *invoice("free", line("Fender", "0.00", product_service_quantity=0), total_amount=0, invoice_no="Nvoided"),
        *invoice("job", line("Fender", "30.00"), customer="Acme:Job 1 ", status="Partially Paid", **total),
        *invoice("orphan", line("Fender", "30.00"), customer="acme", **total),
        *invoice("kit", line("Kit", "30.00"), line("Fender", "10.00"), line("Fender", "20.00"), **total),
        *invoice("of the removed", line("Fender", "30.00"), customer="Gone", **total),
    )
    insert(
        books,
        "sales_receipts",
        *receipt(
            "first line only",
            line("Fender", "20.00", customer="Acme", sales_receipt_no="R1", is_pending=True, **total),
            line("Fender", "10.00"),
        ),
        *receipt("nameless", line("Fender", "30.00"), **total),
        *receipt("void receipt", line("Fender", "0.00"), memo="VOID: VOID:", total_amount=0, customer="Acme"),
    )

    result = dbt.build()

    assert set(warned(result)) == {"assert_orders_name_known_customers"}
    orders = by("document_id", asked(books, "select * from analytics_mart.fct_orders"))
    assert len(orders) == 12
    assert {key: order["status"] for key, order in orders.items() if order["status"] != "open"} == {
        "twins": "paid",
        "voided": "void",
        "void word": "paid",
        "job": "partially_paid",
        "first line only": "paid",
        "nameless": "paid",
        "void receipt": "void",
    }
    assert orders["discounted"]["total_amount"] == Decimal("99.62")
    assert orders["discounted"]["counted_lines_amount"] == Decimal("99.62")
    assert orders["discounted"]["net_amount"] == Decimal("93.00")
    assert (orders["discounted"]["line_count"], orders["discounted"]["counted_line_count"]) == (5, 3)
    assert orders["twins"]["total_amount"] == Decimal(30)
    assert (orders["voided"]["total_amount"], orders["voided"]["tax_amount"]) == (0, 0)
    assert orders["free"]["document_number"] == orders["voided"]["document_number"]
    assert orders["job"]["customer_key"] == "c2"
    assert orders["of the removed"]["customer_key"] == "c3"
    assert {key for key, order in orders.items() if order["is_orphan"]} == {"orphan"}
    assert orders["orphan"]["order_key"] == "invoice:orphan"
    assert (orders["nameless"]["customer_key"], orders["nameless"]["document_number"]) == (None, None)
    assert {key for key, order in orders.items() if order["is_pending"]} == {"first line only"}
    assert orders["first line only"]["total_amount"] == Decimal(30)
    assert orders["first line only"]["customer_key"] == "c1"

    lines = asked(
        books,
        "select document_id, line_number, line_type, is_counted, counted_amount, customer_key"
        " from analytics_mart.fct_order_line_items order by 1, 2",
    )
    assert len(lines) == 22
    of_discounted = [row for row in lines if row["document_id"] == "discounted"]
    assert [(row["line_type"], row["is_counted"]) for row in of_discounted] == [
        ("product", True),
        ("text", False),
        ("subtotal", False),
        ("discount", True),
        ("tax", True),
    ]
    of_kit = [row for row in lines if row["document_id"] == "kit"]
    assert [(row["line_type"], row["counted_amount"]) for row in of_kit] == [
        ("group", 0),
        ("product", 10),
        ("product", 20),
    ]
    assert {row["customer_key"] for row in lines if row["document_id"] == "first line only"} == {"c1"}

    customers = by("customer_key", asked(books, "select * from analytics_mart.fct_customers"))
    assert customers["c1"]["revenue"] == Decimal("194.62")
    assert (customers["c1"]["order_count"], customers["c1"]["void_order_count"]) == (6, 2)
    assert (customers["c1"]["invoice_count"], customers["c1"]["sales_receipt_count"]) == (5, 1)
    assert (customers["c1"]["first_order_date"], customers["c1"]["last_order_date"]) == (
        date(2025, 4, 1),
        date(2025, 4, 2),
    )
    assert (customers["c3"]["is_removed"], customers["c3"]["revenue"]) == (True, 30)


def test_names_that_find_nobody_are_listed_as_they_were_written(books: psycopg.Connection, dbt: Dbt) -> None:
    names = ["O'Brien", "Beta:Job 1", "Acme", "Acme:Job 1", "Acme:Job 1:Phase 2", "Acme:Job 2:Phase 1"]
    insert(books, "customers", *({"_key": name, "customer_name": name} for name in names))
    total = {"total_amount": Decimal("10.00")}
    insert(
        books,
        "invoices",
        *invoice("curly", line(None, "10.00"), customer="O’Brien", **total),
        *invoice("blanks", line(None, "10.00"), customer=" Acme:Job  1\u00a0", **total),
    )

    result = dbt.build()

    assert {name: node.rows for name, node in warned(result).items()} == {
        "assert_customers_have_their_parents": 2,
        "assert_orders_name_known_customers": 1,
    }
    listed = "select {} as name from analytics_quality.{} order by 1"
    assert asked(books, listed.format("customer_name", "assert_customers_have_their_parents")) == [
        {"name": "Acme:Job 2:Phase 1"},
        {"name": "Beta:Job 1"},
    ]
    assert asked(books, listed.format("customer_name", "assert_orders_name_known_customers")) == [{"name": "O’Brien"}]


def test_products_carry_prices_margins_and_what_was_sold(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(
        books,
        "items",
        {"_key": "i1", "item_name": "Fender", "sales_price": Decimal("25.00"), "purchase_cost": Decimal("10.00")},
        {"_key": "i2", "item_name": "Free", "sales_price": Decimal("0.00"), "purchase_cost": Decimal("1.00")},
        {"_key": "i3", "item_name": "markdown", "item_subtype": "ItemDiscount", "sales_price_percent": Decimal(-10)},
        {"_key": "i4", "item_name": "Old  name", "status": False},
        {"_key": "i5", "item_name": "Old name", "status": True, "_removed_at": datetime(2025, 4, 3, tzinfo=UTC)},
    )
    sold = {"product_service_quantity": Decimal("2.5")}
    insert(
        books,
        "invoices",
        *invoice("1", line(" Fender", "62.50", **sold), line("markdown", "-6.25"), total_amount=Decimal("56.25")),
        *invoice("2", line("Fender", "0.00", **sold), memo="VOID:", total_amount=0),
        *invoice("3", line("Old name", "1.00"), line("Fénder", "2.00"), total_amount=3),
    )

    result = dbt.build()

    assert set(warned(result)) == {"assert_orders_name_known_customers", "assert_line_products_are_known"}
    products = by("product_key", asked(books, "select * from analytics_mart.fct_products"))
    assert len(products) == 5
    assert (products["i1"]["margin_amount"], products["i1"]["margin_percent"]) == (15, 60)
    assert (products["i1"]["quantity_sold"], products["i1"]["revenue"], products["i1"]["order_count"]) == (
        Decimal("2.5"),
        Decimal("62.50"),
        1,
    )
    assert (products["i2"]["margin_amount"], products["i2"]["margin_percent"]) == (-1, None)
    assert (products["i3"]["sales_price"], products["i3"]["sales_price_percent"]) == (None, -10)
    assert products["i3"]["revenue"] == Decimal("-6.25")
    assert (products["i4"]["revenue"], products["i4"]["is_active"], products["i4"]["is_removed"]) == (1, False, False)
    assert (products["i5"]["revenue"], products["i5"]["is_removed"]) == (0, True)


def test_an_order_whose_lines_do_not_tie_is_kept_and_reported(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(books, "customers", {"_key": "c1", "customer_name": "Acme"})
    insert(
        books,
        "items",
        {"_key": "i1", "item_name": "Fender"},
        {"_key": "i2", "item_name": "Kit", "item_subtype": "ItemGroup"},
    )
    insert(
        books,
        "invoices",
        *invoice("off", line("Fender", "10.00"), total_amount=Decimal("10.01"), status="Overdue"),
        *invoice(
            "tax in the header", line("Fender", "10.00"), total_amount=Decimal("10.60"), total_tax=Decimal("0.60")
        ),
        *invoice("kit alone", line("Kit", "40.00"), total_amount=Decimal("42.40"), total_tax=Decimal("2.40")),
        *invoice("without a total", line("Fender", "10.00"), line("Subtotal", "10.00"), total_tax=Decimal("0.60")),
    )

    result = dbt.build()

    assert {name: node.rows for name, node in warned(result).items() if name.startswith("assert")} == {
        "assert_order_totals_tie_to_their_lines": 1
    }
    assert any(name.startswith("accepted_values_fct_orders_status") for name in warned(result))
    orders = by("document_id", asked(books, "select * from analytics_mart.fct_orders"))
    assert orders["off"]["total_amount"] == Decimal("10.01")
    assert orders["off"]["status"] == "overdue"
    assert orders["tax in the header"]["tax_beside_lines_amount"] == Decimal("0.60")
    assert orders["kit alone"]["counted_lines_amount"] == Decimal("40.00")
    assert orders["without a total"]["total_amount"] == Decimal("10.60")
    assert orders["without a total"]["total_basis"] == "lines"


def test_a_build_replaces_rows_under_what_others_put_on_a_mart(
    books: psycopg.Connection, dbt: Dbt, module_database_url: str
) -> None:
    insert(books, "customers", {"_key": "c1", "customer_name": "Acme"})
    insert(books, "items", {"_key": "i1", "item_name": "Fender"})
    insert(books, "invoices", *invoice("1", line("Fender", "10.00"), total_amount=10))
    assert dbt.build().outcome is Outcome.BUILT
    books.execute("create view public.dashboard as select sum(total_amount) as revenue from analytics_mart.fct_orders")
    books.execute("create view public.staged as select count(*) as n from analytics_staging.stg_quickbooks__invoices")
    books.execute("grant select on analytics_mart.fct_orders to public")
    insert(books, "invoices", *invoice("2", line("Fender", "5.00"), total_amount=5))
    books.execute("delete from raw.quickbooks_invoices where _key = '1'")

    with watched(module_database_url, "select revenue from public.dashboard") as seen:
        result = dbt.build(["source:quickbooks.invoices+"])
        again = dbt.build(full_refresh=True)

    assert (result.outcome, again.outcome) == (Outcome.BUILT, Outcome.BUILT)
    assert {node.name for node in result.nodes if node.resource_type == "model"} >= {
        mart for mart in MARTS if mart not in ("bridge_customer_company", "fct_product_price_history")
    }
    assert seen == [10, 5]
    assert value(books, "select revenue from public.dashboard") == 5
    assert value(books, "select n from public.staged") == 1
    assert value(books, "select has_table_privilege('pg_monitor', 'analytics_mart.fct_orders', 'select')")


def test_views_are_built_once_and_again_when_one_is_missing_or_replaced(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(books, "customers", {"_key": "c1", "customer_name": "Acme"})
    sparing, debt = SparingDbt(dbt), ["source:quickbooks.customers+"]
    assert sparing.build().outcome is Outcome.BUILT
    insert(books, "customers", {"_key": "c2", "customer_name": "Bolt"})

    spared = sparing.build(debt)

    models = {node.name for node in spared.nodes if node.resource_type == "model"}
    assert {"fct_customers", "fct_orders", "fct_companies"} <= models
    assert not [name for name in models if name.startswith(("stg_", "int_"))]
    assert spared.pays("quickbooks.customers")
    assert value(books, "select count(*) from analytics_mart.fct_companies") == 2
    books.execute("drop view analytics_intermediate.int_companies_named")

    healed = sparing.build(debt)

    assert healed.outcome is Outcome.BUILT
    assert "int_companies_named" in {node.name for node in healed.nodes}
    view = "analytics_intermediate.int_customers_picked_by_name"
    meant = value(books, f"select pg_get_viewdef('{view}'::regclass)").rstrip(";")
    books.execute(f"create or replace view {view} as select * from ({meant}) as meant limit 0")

    righted = sparing.build(debt)

    assert "int_customers_picked_by_name" in {node.name for node in righted.nodes}
    assert value(books, f"select count(*) from {view}") == 2
    assert not [node for node in sparing.build(debt).nodes if node.name.startswith("int_")]


def test_a_build_without_views_tests_the_same_data(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(books, "customers", {"_key": "c1", "customer_name": "Acme"})
    insert(books, "invoices", *invoice("1", line("Fender", "10.00"), total_amount=10))
    debt = ["source:quickbooks.invoices+"]

    whole, spared = dbt.build(debt), dbt.build(debt, with_views=False)

    tests = [{node.name for node in each.nodes if node.resource_type == "test"} for each in (whole, spared)]
    assert tests[0] == tests[1]
    assert "assert_revenue_counts_each_header_once" in tests[1]  # which looks at views alone, beside the mart
    assert "stg_quickbooks__invoices" in {node.name for node in whole.nodes} - {node.name for node in spared.nodes}


def test_the_rows_that_break_a_plain_test_are_stored_too(books: psycopg.Connection, dbt: Dbt) -> None:
    for name in ("1", "2"):
        insert(books, "invoices", *invoice(name, line(None, "10.00"), total_amount=10, invoice_date=None))

    odd = dbt.build()

    assert odd.outcome is Outcome.WARNINGS
    assert "not_null_fct_orders_order_date (2 rows)" in odd.message
    assert "select * from analytics_quality.not_null_fct_orders_order_date" in odd.hint
    stored = asked(books, "select order_key from analytics_quality.not_null_fct_orders_order_date order by 1")
    assert [row["order_key"] for row in stored] == ["invoice:1", "invoice:2"]


def test_a_test_has_a_table_while_it_finds_rows(books: psycopg.Connection, dbt: Dbt) -> None:
    orphan = invoice("1", line(None, "10.00"), total_amount=10, customer="Nobody")
    tables = "select relname::text as name from pg_class where relnamespace::regnamespace::text = 'analytics_quality'"
    place = "analytics_quality.assert_orders_name_known_customers"
    insert(books, "invoices", *orphan)
    assert set(warned(dbt.build())) == {"assert_orders_name_known_customers"}
    insert(books, "invoices", *invoice("2", line(None, "10.00"), total_amount=10, customer="Nobody"))

    assert set(warned(dbt.build())) == {"assert_orders_name_known_customers"}

    assert [row["name"] for row in asked(books, tables)] == ["assert_orders_name_known_customers"]
    assert len(asked(books, f"select * from {place}")) == 2
    books.execute("delete from raw.quickbooks_invoices")
    assert dbt.build().outcome is Outcome.BUILT
    assert asked(books, tables) == []


def test_a_build_mends_relations_of_an_older_project(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(books, "items", {"_key": "i1", "item_name": "Fender"})
    books.execute("create schema analytics_staging")
    books.execute("create schema analytics_mart")
    books.execute("create view analytics_staging.stg_quickbooks__items as select 1 as gone")
    books.execute("create view analytics_staging.on_top as select * from analytics_staging.stg_quickbooks__items")
    books.execute("create table analytics_staging.stg_quickbooks__customers (gone integer)")
    books.execute("create table analytics_mart.fct_products (product_key text, gone integer)")
    books.execute("create view analytics_mart.fct_customers as select 1 as gone")

    result = dbt.build()

    assert result.outcome is Outcome.BUILT, result
    assert value(books, "select product_name from analytics_mart.fct_products") == "Fender"
    columns = "select column_name from information_schema.columns where column_name = 'gone'"
    assert asked(books, f"{columns} and table_schema like 'analytics%' and table_name <> 'on_top'") == []


def test_customers_of_one_mail_domain_are_one_company(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(
        books,
        "customers",
        {
            "_key": "c1",
            "customer_name": "Ann",
            "company_name": "Acme LLC",
            "main_email": "ann@acme.com",
            "status": True,
        },
        {"_key": "c2", "customer_name": "Ann:Job", "main_email": "Bob@ACME.com", "status": False},
        {"_key": "c3", "customer_name": "Dora", "main_email": "dora@gmail.com", "status": True},
        {"_key": "c4", "customer_name": "Emil", "main_email": "emil@gmail.com", "status": True},
        {"_key": "c5", "customer_name": "Fay", "status": True},
    )
    insert(
        books,
        "invoices",
        *invoice("1", line(None, "10.00"), customer="Ann", total_amount=10),
        *invoice("2", line(None, "5.00"), customer="Ann:Job", total_amount=5, invoice_date=date(2025, 4, 9)),
    )

    assert dbt.build().succeeded

    companies = by("company_key", asked(books, "select * from analytics_mart.fct_companies"))
    assert set(companies) == {"domain:acme.com", "customer:c3", "customer:c4", "customer:c5"}
    acme = companies["domain:acme.com"]
    assert (acme["company_name"], acme["customer_count"], acme["active_customer_count"]) == ("Acme LLC", 2, 1)
    assert (acme["revenue"], acme["order_count"], acme["last_order_date"]) == (15, 2, date(2025, 4, 9))
    assert (companies["customer:c3"]["company_name"], companies["customer:c3"]["match_basis"]) == ("Dora", "free_mail")
    assert companies["customer:c5"]["match_basis"] == "no_email"
    bridge = by("customer_key", asked(books, "select * from analytics_mart.bridge_customer_company"))
    assert len(bridge) == 5
    assert bridge["c2"]["company_key"] == "domain:acme.com"


def test_prices_are_valid_from_the_moments_of_their_files(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(books, "items", {"_key": "i1", "item_name": "Fender", "sales_price": 12, "purchase_cost": 4})
    with books.cursor() as cursor:
        cursor.executemany(
            "insert into raw.quickbooks_item_prices values ('i1', %s, %s, null, %s, 1)",
            [("2025-04-01Z", 10, 4), ("2025-04-03Z", 10, 4), ("2025-04-05Z", 12, 4)],
        )

    assert dbt.build().succeeded

    found = asked(books, "select * from analytics_mart.fct_product_price_history order by valid_from")
    first, second = datetime(2025, 4, 1, tzinfo=UTC), datetime(2025, 4, 5, tzinfo=UTC)
    assert [(row["valid_from"], row["valid_to"], row["is_current"]) for row in found] == [
        (first, second, False),
        (second, None, True),
    ]
    assert [(row["sales_price"], row["sales_price_change"], row["margin_amount"]) for row in found] == [
        (10, None, 6),
        (12, 2, 8),
    ]


def test_a_doubled_day_stops_and_one_odd_document_warns(books: psycopg.Connection, dbt: Dbt) -> None:
    insert(books, "customers", {"_key": "c1", "customer_name": "Acme", "created_date": date(2025, 4, 2)})
    once = [("1", "A"), ("2", "B"), ("3", "B")]
    for key, number in once:
        insert(books, "invoices", *invoice(key, line(None, "10.00"), total_amount=10, invoice_no=number))

    odd = dbt.build()

    assert {name: node.rows for name, node in warned(odd).items()} == {
        "assert_documents_are_entered_once": 1,
        "assert_no_order_precedes_its_customer": 3,
    }
    assert asked(books, "select document_number, times from analytics_quality.assert_documents_are_entered_once") == [
        {"document_number": "B", "times": 2}
    ]
    insert(books, "invoices", *invoice("4", line(None, "10.00"), total_amount=10, invoice_no="A"))

    doubled = dbt.build()

    assert doubled.outcome is Outcome.TESTS_FAILED
    assert "assert_no_day_is_doubled (1 rows)" in doubled.message
    (stopped,) = [node for node in doubled.nodes if node.status == "fail"]
    assert stopped.found_in == "analytics_quality.assert_no_day_is_doubled"
    assert doubled.hint.startswith("look at the rows: select * from analytics_quality.assert_no_day_is_doubled. ")
    assert asked(books, f"select document_count from {stopped.found_in}") == [{"document_count": 2}]
    assert not doubled.pays("quickbooks.invoices")
    assert not doubled.is_transient


def test_the_project_holds_no_python() -> None:
    """Its folder has the name of the installed package, whose search path would take Python files from here."""
    assert [path.name for path in PROJECT.rglob("*.py")] == []
