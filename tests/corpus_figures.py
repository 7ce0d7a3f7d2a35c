"""Every figure of the corpus' expected end state, from the corpus and from a database, in one shape to compare."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

_LISTS = {
    "customers": """
        SELECT count(*) AS current, count(*) FILTER (WHERE status) AS active,
               count(*) FILTER (WHERE NOT status) AS inactive, count(*) FILTER (WHERE status IS NULL) AS status_unknown,
               count(*) FILTER (WHERE customer_name LIKE '%:%') AS jobs,
               count(*) FILTER (WHERE customer_name ~ '[^[:ascii:]]') AS names_with_non_ascii_characters
        FROM raw.quickbooks_customers WHERE _removed_at IS NULL""",
    "items": "SELECT count(*) AS current FROM raw.quickbooks_items WHERE _removed_at IS NULL",
}

_DOCUMENTS = """
WITH line AS (SELECT *, product_service_rate_percent IS NOT NULL AS is_percent FROM raw.{table}),
     twins AS (SELECT _key, product_service, count(*) AS n FROM line WHERE product_service IS NOT NULL GROUP BY 1, 2)
SELECT (SELECT count(DISTINCT _key) FROM line) AS documents,
       (SELECT count(*) FROM line) AS lines,
       (SELECT sum(product_service_amount) FROM line) AS sum_of_line_amounts,
       (SELECT sum(total_amount) FROM line) AS total_amount_over_all_lines,
       (SELECT count(*) FROM line WHERE product_service_amount IS NULL) AS lines_without_amount,
       (SELECT count(*) FROM line WHERE is_percent) AS lines_with_a_percent_rate,
       (SELECT count(DISTINCT _key) FROM twins WHERE n > 1) AS documents_with_one_product_on_several_lines,
       (SELECT sum(n - 1) FROM twins) AS lines_lost_by_a_key_of_document_and_product"""

_COUNTED = (
    "documents",
    "lines",
    "sum_of_line_amounts",
    "lines_without_amount",
    "lines_with_a_percent_rate",
    "documents_with_one_product_on_several_lines",
    "lines_lost_by_a_key_of_document_and_product",
    "sum_of_document_totals",
    "sum_of_line_amounts_without_subtotal_lines",
    "void",
)

_MISLEADING = "sum_of_total_amount_column_over_all_lines_WRONG_if_used_as_revenue"

_ORDERS = """
SELECT sum(total_amount) AS sum_of_document_totals,
       sum(counted_lines_amount) AS sum_of_line_amounts_without_subtotal_lines,
       count(*) FILTER (WHERE is_void) AS void,
       count(*) FILTER (WHERE is_orphan) AS with_unknown_customer,
       count(*) FILTER (WHERE abs(total_amount - counted_lines_amount) >= 0.005
                          AND abs(total_amount - counted_lines_amount - tax_beside_lines_amount) >= 0.005) AS untied
FROM analytics_mart.fct_orders WHERE order_type = '{kind}'"""

_SUBTYPES = """
SELECT item_subtype AS name, count(*) AS value FROM raw.quickbooks_items WHERE _removed_at IS NULL GROUP BY 1"""
_ORPHANS = "SELECT customer_name AS name, count(*) AS value FROM analytics_mart.fct_orders WHERE is_orphan GROUP BY 1"
_STATES = """
SELECT status AS name, count(*) AS value FROM analytics_mart.fct_orders WHERE order_type = 'invoice' GROUP BY 1"""

_KINDS = {
    "invoices": ("quickbooks_invoices", "invoice"),
    "sales_receipts": ("quickbooks_sales_receipts", "sales_receipt"),
}

_LINES = """
SELECT o.document_number AS number, o.customer_name AS customer, to_char(o.order_date, 'MM-DD-YYYY') AS date,
       o.total_amount AS total, o.tax_amount AS tax, o.memo, o.is_void AS void,
       l.line_number AS n, l.product_name AS product, l.line_description AS description, l.quantity, l.rate,
       l.rate_percent, l.amount
FROM analytics_mart.fct_orders AS o JOIN analytics_mart.fct_order_line_items AS l USING (order_key)
WHERE o.order_key = %s ORDER BY l.line_number"""


def exports(corpus: Path) -> list[Path]:
    """All CSV exports of the company, by name."""
    folder = corpus / "saasant"
    return sorted([*folder.glob("*.csv"), *(folder / "items").glob("*.csv")], key=lambda path: path.name)


def wanted(corpus: Path) -> dict[str, Any]:
    """The expected figures that a database can show."""
    expected = json.loads((corpus / "saasant" / "expected.json").read_text("utf-8"))
    figures: dict[str, Any] = {
        "customers": expected["customers"],
        "items": {"current": expected["items"]["current"], "by_subtype": expected["items"]["by_subtype"]},
        "renamed": expected["renamed_customer"]["new_name"],
        "late": expected["late_customer"]["name"],
        "orphans": sorted(expected["links"]["invoice_customers_unknown_by_current_name"]),
        "twins": expected["invoices"]["numbers_used_by_several_documents"],
        "by_state": expected["invoices"]["by_state"],
        "status_text": expected["invoices"]["status_text_counts"],
        "prices": {
            name: [history[kind][-1]["value"] for kind in ("sales_price", "purchase_cost")]
            for name, history in expected["item_price_history"].items()
        },
    }
    for name in _KINDS:
        given = expected[name]
        figures[name] = {key: str(given[key]) for key in _COUNTED}
        figures[name]["total_amount_over_all_lines"] = given[_MISLEADING]
        figures[name]["untied"] = str(len(given["documents_whose_lines_do_not_tie_to_the_total"]))
    figures["invoices"]["with_unknown_customer"] = str(expected["links"]["invoices_with_such_a_customer"])
    figures["sales_receipts"]["with_unknown_customer"] = str(expected["links"]["receipts_with_such_a_customer"])
    receipts = expected["sales_receipts"]
    figures["receipt_gaps"] = {name: receipts[name] for name in ("without_number", "without_customer", "pending")}
    for kind, told in (("invoice", "interesting_invoices"), ("sales_receipt", "interesting_sales_receipts")):
        for document in expected[told].values():
            figures[f"{kind}:{document['internal_id']}"] = _document_wanted(document)
    return figures


def found(url: str, like: dict[str, Any]) -> dict[str, Any]:
    """The same figures from a database whose marts are built; ``like`` names the single documents to look at."""
    with psycopg.connect(url, row_factory=dict_row) as connection:

        def one(query: str, *values: Any) -> dict[str, Any]:
            row = connection.execute(query, values or None).fetchone()  # type: ignore[call-overload]
            assert row is not None
            return dict(row)

        def pairs(query: str) -> dict[str, Any]:
            rows = connection.execute(query).fetchall()  # type: ignore[call-overload]
            return {row["name"]: row["value"] for row in rows}

        figures: dict[str, Any] = {name: one(query) for name, query in _LISTS.items()}
        figures["items"]["by_subtype"] = pairs(_SUBTYPES)
        figures |= _names(one, pairs, like)
        for name, (table, kind) in _KINDS.items():
            row = one(_DOCUMENTS.format(table=table)) | one(_ORDERS.format(kind=kind))
            figures[name] = {key: str(value) for key, value in row.items()}
        figures["receipt_gaps"] = one(
            """SELECT count(*) FILTER (WHERE document_number IS NULL) AS without_number,
                      count(*) FILTER (WHERE customer_name IS NULL) AS without_customer,
                      count(*) FILTER (WHERE is_pending) AS pending
               FROM analytics_mart.fct_orders WHERE order_type = 'sales_receipt'"""
        )
        for key in like:
            if ":" in key:
                figures[key] = _document_found([dict(row) for row in connection.execute(_LINES, (key,))])
    return figures


def _names(one: Any, pairs: Any, like: dict[str, Any]) -> dict[str, Any]:
    return {
        "renamed": one(
            "SELECT customer_name AS name FROM raw.quickbooks_customers WHERE customer_name = %s", like["renamed"]
        )["name"],
        "late": one(
            "SELECT customer_name AS name FROM raw.quickbooks_customers WHERE customer_name = %s", like["late"]
        )["name"],
        "orphans": sorted(pairs(_ORPHANS)),
        "twins": pairs(
            """SELECT invoice_no AS name, array_agg(DISTINCT _key ORDER BY _key) AS value FROM raw.quickbooks_invoices
               GROUP BY 1 HAVING count(DISTINCT _key) > 1"""
        ),
        "by_state": pairs(_STATES),
        "status_text": pairs(
            """SELECT status AS name, count(DISTINCT _key) AS value FROM raw.quickbooks_invoices
               WHERE _line = 1 GROUP BY 1"""
        ),
        "prices": {
            name: [
                str(value)
                for value in one(
                    "SELECT sales_price, purchase_cost FROM raw.quickbooks_items WHERE item_name = %s", name
                ).values()
            ]
            for name in like["prices"]
        },
    }


def _document_wanted(document: dict[str, Any]) -> dict[str, Any]:
    header = {name: document[name] for name in ("number", "customer", "date", "memo", "void")}
    lines = [
        (
            line["n"],
            line["product"],
            line["description"],
            _number(line["quantity"]),
            _number(line["rate"]),
            _number(line["amount"]),
        )
        for line in document["lines"]
    ]
    return {**header, "total": Decimal(document["total"]), "tax": Decimal(document["tax"]), "lines": lines}


def _document_found(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = rows[0]
    header = {name: first[name] or "" for name in ("number", "customer", "date", "memo")}
    lines = [
        (
            row["n"],
            row["product"] or "",
            row["description"] or "",
            row["quantity"],
            (row["rate_percent"], "%") if row["rate_percent"] is not None else row["rate"],
            row["amount"],
        )
        for row in rows
    ]
    return {**header, "void": first["void"], "total": first["total"], "tax": first["tax"], "lines": lines}


def _number(text: str) -> Any:
    if not text:
        return None
    return (Decimal(text[:-1]), "%") if text.endswith("%") else Decimal(text)
