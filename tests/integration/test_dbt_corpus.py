"""The marts give the figures that the export corpus is known to hold."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import psycopg
from dbt_raw_tables import Row, asked, by, create_raw_tables, load_corpus

from qbwatch.edges.dbt import Dbt, DbtSettings, Outcome

PROJECT = Path(__file__).parents[2] / "dbt"


def test_the_marts_give_the_figures_of_the_corpus(empty_database_url: str, tmp_path: Path, corpus: Path) -> None:
    folder = corpus / "saasant"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    with psycopg.connect(empty_database_url, autocommit=True) as books:
        create_raw_tables(books)
        load_corpus(books, folder)

        result = Dbt(DbtSettings(PROJECT, tmp_path / "state", empty_database_url)).build()

        assert result.outcome is Outcome.WARNINGS, result
        warnings = {node.name: node.rows for node in result.nodes if node.status == "warn"}
        assert warnings == {"assert_orders_name_known_customers": 4}
        assert_sums(books, expected)
        assert_months(books)
        assert_lists(books, expected)
        assert_documents(books, "invoice", expected["interesting_invoices"])
        assert_documents(books, "sales_receipt", expected["interesting_sales_receipts"])


def assert_sums(books: psycopg.Connection, expected: dict[str, Row]) -> None:
    """Counts and sums of both kinds of documents, to the cent."""
    for kind, dataset in (("invoice", "invoices"), ("sales_receipt", "sales_receipts")):
        figures = expected[dataset]
        (found,) = asked(books, FIGURES.format(kind))
        (of_lines,) = asked(books, LINE_FIGURES.format(kind))
        assert found["documents"] == figures["documents"]
        assert found["lines"] == figures["lines"]
        assert str(found["total"]) == figures["sum_of_document_totals"]
        assert str(found["counted"]) == figures["sum_of_line_amounts_without_subtotal_lines"]
        assert found["void"] == figures["void"]
        assert found["pending"] == figures.get("pending", 0)
        assert found["nameless"] == figures.get("without_customer", 0)
        assert found["numberless"] == figures.get("without_number", 0)
        assert str(of_lines["total"]) == figures["sum_of_line_amounts"]
        assert of_lines["blank"] == figures["lines_without_amount"]
        assert of_lines["percent"] == figures["lines_with_a_percent_rate"]
    states = asked(
        books, "select status, count(*) as n from analytics_mart.fct_orders where order_type = 'invoice' group by 1"
    )
    assert {row["status"]: row["n"] for row in states} == expected["invoices"]["by_state"]
    orphans = asked(books, "select customer_name from analytics_mart.fct_orders where is_orphan")
    assert len(orphans) == expected["links"]["invoices_with_such_a_customer"]
    assert {row["customer_name"] for row in orphans} == set(
        expected["links"]["invoice_customers_unknown_by_current_name"]
    )


MONTHS = """
    with lines as (
        select _key, invoice_date as day, memo, product_service, product_service_amount as amount
        from raw.quickbooks_invoices
        union all
        select _key, sales_receipt_date, memo, product_service, product_service_amount
        from raw.quickbooks_sales_receipts
    ), days as (
        select _key, min(day) as day from lines group by _key
    )
    select to_char(days.day, 'YYYY-MM') as month, sum(lines.amount) as amount
    from lines join days using (_key)
    left join raw.quickbooks_items as item on btrim(item.item_name) = btrim(lines.product_service)
    where item.item_subtype is distinct from 'ItemSubtotal' and lower(btrim(lines.product_service)) <> 'subtotal'
    group by 1 order by 1
"""


def assert_months(books: psycopg.Connection) -> None:
    """Revenue per month is the sum of the raw lines, subtotals left out, to the cent."""
    of_lines = {row["month"]: row["amount"] for row in asked(books, MONTHS)}
    for mart, amount in (("fct_orders", "total_amount"), ("fct_order_line_items", "counted_amount")):
        month = "to_char(order_date, 'YYYY-MM')"
        query = f"select {month} as month, sum({amount}) as amount from analytics_mart.{mart} group by 1"
        assert {row["month"]: row["amount"] for row in asked(books, query)} == of_lines, mart
    assert len(of_lines) > 6


def assert_lists(books: psycopg.Connection, expected: dict[str, Row]) -> None:
    """Customers and items as the lists have them now."""
    (customers,) = asked(
        books,
        "select count(*) as current, count(*) filter (where is_active) as active from analytics_mart.fct_customers",
    )
    assert customers == {name: expected["customers"][name] for name in ("current", "active")}
    subtypes = asked(books, "select item_subtype, count(*) as n from analytics_mart.fct_products group by 1")
    assert {row["item_subtype"]: row["n"] for row in subtypes} == expected["items"]["by_subtype"]


FIGURES = """
    select
        count(*) as documents,
        sum(line_count) as lines,
        sum(total_amount) as total,
        sum(counted_lines_amount) as counted,
        count(*) filter (where is_void) as void,
        count(*) filter (where is_pending) as pending,
        count(*) filter (where customer_name is null) as nameless,
        count(*) filter (where document_number is null) as numberless
    from analytics_mart.fct_orders where order_type = '{}'
"""
LINE_FIGURES = """
    select
        sum(amount) as total,
        count(*) filter (where amount is null) as blank,
        count(*) filter (where rate_percent is not null) as percent
    from analytics_mart.fct_order_line_items where order_type = '{}'
"""


def assert_documents(books: psycopg.Connection, kind: str, documents: dict[str, Row]) -> None:
    """Each of the corpus' documents by hand: header, state and all lines."""
    orders = by("order_key", asked(books, "select * from analytics_mart.fct_orders"))
    assert documents
    for document in documents.values():
        order = orders[f"{kind}:{document['internal_id']}"]
        assert (order["document_number"] or "") == document["number"]
        assert order["total_amount"] == Decimal(document["total"])
        assert order["is_void"] == document["void"]
        lines = asked(
            books,
            "select product_name, quantity, amount from analytics_mart.fct_order_line_items"
            f" where order_key = '{order['order_key']}' order by line_number",
        )
        assert lines == [
            {
                "product_name": wanted["product"] or None,
                "quantity": exact(wanted["quantity"]),
                "amount": exact(wanted["amount"]),
            }
            for wanted in document["lines"]
        ]


def exact(text: str) -> Decimal | None:
    return Decimal(text) if text else None
