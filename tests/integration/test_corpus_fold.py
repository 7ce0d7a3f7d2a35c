"""A whole company's exports, folded one by one: every expected figure that the raw tables can show."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from books import ZONE, Books, open_books
from corpus_figures import exports

from qbwatch.core.model import LoadResult
from qbwatch.core.naming import read_file_name
from qbwatch.datasets import Dataset, dataset_named, datasets

_COPY = "Invoice_04_07_2025_2_00_03 (1).csv"
_AMOUNTS = {"Invoice": "product_service_amount", "Sales_Receipt": "product_service_amount", "Item": "quantity_on_hand"}
_RECEIPTS, _INVOICES = "sales_receipts", "invoices"


@pytest.fixture(scope="module")
def expected(corpus: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((corpus / "saasant" / "expected.json").read_text("utf-8"))
    return told


@pytest.fixture(scope="module")
def readme(corpus: Path) -> dict[str, list[str]]:
    """The README's tables by file name: the cells of each row beside the name."""
    rows = {}
    for line in (corpus / "README.md").read_text("utf-8").splitlines():
        if match := re.match(r"\| `([^`]+\.csv)` \|(.*)\|", line, re.IGNORECASE):
            rows[match[1]] = [cell.strip() for cell in match[2].split("|")]
    return rows


@pytest.fixture(scope="module")
def folded(
    corpus: Path, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Books, dict[str, LoadResult]]]:
    """All exports in the order of their moments, and what each of them did."""
    with open_books(module_database_url, tmp_path_factory.mktemp("corpus")) as books:
        results = {}
        for path in sorted(exports(corpus), key=_place):
            if path.name != _COPY:  # the same bytes for the same moment: never a work item of its own
                results[path.name] = books.load(path.name, path.read_bytes())
        yield books, results


def _place(path: Path) -> tuple[Any, ...]:
    reading = read_file_name(path.name)
    return (reading.as_of(ZONE), reading.is_full)


@pytest.fixture
def books(folded: tuple[Books, dict[str, LoadResult]]) -> Books:
    return folded[0]


@pytest.fixture
def results(folded: tuple[Books, dict[str, LoadResult]]) -> dict[str, LoadResult]:
    return folded[1]


def _one(books: Books, table: str, columns: str, where: str = "true") -> tuple[Any, ...]:
    (row,) = books.rows(f"{table} WHERE {where}", columns, "1")
    return row


def test_every_file_is_loaded_and_the_copy_holds_the_bytes_of_its_twin(
    corpus: Path, expected: dict[str, Any], results: dict[str, LoadResult]
) -> None:
    assert len(results) == expected["files"]["loaded"]
    assert expected["files"]["skipped_as_identical"] == [_COPY]
    twin = corpus / "saasant" / _COPY.replace(" (1)", "")
    assert (corpus / "saasant" / _COPY).read_bytes() == twin.read_bytes()
    again = expected["files"]["loaded_although_the_bytes_were_seen_before_under_an_earlier_time"]
    assert set(again) <= set(results)


def test_each_file_has_the_rows_and_the_sum_that_were_counted_by_another_reader(
    readme: dict[str, list[str]], results: dict[str, LoadResult]
) -> None:
    checked = 0
    for name, result in results.items():
        cells = readme[name]
        rows = [int(number) for number in re.findall(r"\d+", cells[1])]
        assert (result.rows.read, result.rows.structural) == (sum(rows), sum(rows[1:])), name
        assert (result.rows.rejected, result.rows.balances) == (0, True), name
        stem = next((stem for stem in _AMOUNTS if stem in name), None)
        if stem:
            amount = next(match[1] for cell in cells[2:] if (match := re.fullmatch(r"`(-?[\d.]+)`", cell)))
            assert result.sums[_AMOUNTS[stem]] == Decimal(amount), name
            checked += 1
    assert checked == sum(1 for name in results if "Customer" not in name) > 70


def test_the_encoding_of_each_file_is_found(readme: dict[str, list[str]], results: dict[str, LoadResult]) -> None:
    for name, result in results.items():
        told = readme[name][0]
        used = "cp1252" if "cp1252" in told else "utf-8-sig" if "BOM" in told else "utf-8"
        assert f"read as {used}" in result.notes, name


def test_the_lists_hold_what_they_should(books: Books, expected: dict[str, Any]) -> None:
    current = "_removed_at IS NULL"
    counted = _one(
        books,
        "customers",
        """count(*), count(*) FILTER (WHERE status), count(*) FILTER (WHERE NOT status),
           count(*) FILTER (WHERE status IS NULL), count(*) FILTER (WHERE customer_name LIKE '%:%'),
           count(*) FILTER (WHERE customer_name ~ '[^[:ascii:]]')""",
        current,
    )
    assert counted == tuple(expected["customers"].values())
    assert _one(books, "items", "count(*)", current) == (expected["items"]["current"],)
    subtypes = dict(books.rows(f"items WHERE {current} GROUP BY 1", "item_subtype, count(*)", "1"))
    assert subtypes == expected["items"]["by_subtype"]


@pytest.mark.parametrize("table", [_INVOICES, _RECEIPTS])
def test_documents_lines_and_sums_are_right(books: Books, expected: dict[str, Any], table: str) -> None:
    told = expected[table]
    counted = _one(
        books,
        table,
        """count(DISTINCT _key), count(*), sum(product_service_amount)::text, sum(total_amount)::text,
           count(*) FILTER (WHERE product_service_amount IS NULL),
           count(*) FILTER (WHERE product_service_rate_percent IS NOT NULL)""",
    )
    assert counted == (
        told["documents"],
        told["lines"],
        told["sum_of_line_amounts"],
        told["sum_of_total_amount_column_over_all_lines_WRONG_if_used_as_revenue"],
        told["lines_without_amount"],
        told["lines_with_a_percent_rate"],
    )
    totals = books.rows(f"{table} GROUP BY _key", "max(total_amount)", "1")
    assert str(sum(total for (total,) in totals)) == told["sum_of_document_totals"]
    void = books.rows(f"{table} WHERE memo LIKE 'VOID:%' GROUP BY _key", "_key", "1")
    assert len(void) == told["void"]
    repeated = books.rows(
        f"{table} WHERE product_service IS NOT NULL GROUP BY _key, product_service HAVING count(*) > 1",
        "_key, count(*) - 1",
        "1",
    )
    assert len({key for key, _ in repeated}) == told["documents_with_one_product_on_several_lines"]
    assert sum(extra for _, extra in repeated) == told["lines_lost_by_a_key_of_document_and_product"]


def test_statuses_numbers_and_gaps_are_right(books: Books, expected: dict[str, Any]) -> None:
    statuses = dict(books.rows("invoices GROUP BY 1", "status, count(DISTINCT _key)", "1"))
    assert statuses == expected["invoices"]["status_text_counts"]
    shared = books.rows(
        "invoices GROUP BY 1 HAVING count(DISTINCT _key) > 1", "invoice_no, array_agg(DISTINCT _key ORDER BY _key)", "1"
    )
    assert dict(shared) == expected["invoices"]["numbers_used_by_several_documents"]
    gaps = _one(
        books,
        _RECEIPTS,
        """count(DISTINCT _key) FILTER (WHERE sales_receipt_no IS NULL),
           count(DISTINCT _key) FILTER (WHERE customer IS NULL), count(DISTINCT _key) FILTER (WHERE is_pending)""",
    )
    receipts = expected[_RECEIPTS]
    assert gaps == (receipts["without_number"], receipts["without_customer"], receipts["pending"])
    first_only = books.rows(
        f"{_RECEIPTS} GROUP BY _key HAVING count(*) > 1 AND count(total_amount) = 1", "_key, min(_line)", "1"
    )
    assert len(first_only) == receipts["with_header_amount_only_on_the_first_line"]


def test_customers_and_products_on_documents_are_known_or_reported(books: Books, expected: dict[str, Any]) -> None:
    links = expected["links"]
    known = {name for (name,) in books.rows("customers WHERE _removed_at IS NULL", "customer_name", "1")}
    items = {name for (name,) in books.rows("items WHERE _removed_at IS NULL", "item_name", "1")}
    for table, kind in ((_INVOICES, "invoice"), (_RECEIPTS, "receipt")):
        named = books.rows(f"{table} WHERE customer IS NOT NULL", "DISTINCT _key, customer", "1")
        orphans = [(key, name) for key, name in named if name not in known]
        assert sorted({name for _, name in orphans}) == links[f"{kind}_customers_unknown_by_current_name"]
        assert len(orphans) == links[f"{kind}s_with_such_a_customer"]
        products = {
            name for (name,) in books.rows(f"{table} WHERE product_service IS NOT NULL", "product_service", "1")
        }
        assert sorted(products - items) == links["products_on_lines_unknown_in_items"]


@pytest.mark.parametrize(
    ("table", "told", "number", "day"),
    [
        (_INVOICES, "interesting_invoices", "invoice_no", "invoice_date"),
        (_RECEIPTS, "interesting_sales_receipts", "sales_receipt_no", "sales_receipt_date"),
    ],
)
def test_the_telling_documents_are_right_line_by_line(
    books: Books, expected: dict[str, Any], table: str, told: str, number: str, day: str
) -> None:
    for document in expected[told].values():
        rows = books.rows(
            f"{table} WHERE _key = '{document['internal_id']}'",
            f"""_line, {number}, customer, to_char({day}, 'MM-DD-YYYY'), memo, total_amount, total_tax, product_service,
                product_service_description, product_service_quantity, product_service_rate,
                product_service_rate_percent, product_service_amount""",
            "_line",
        )
        header = [value or "" for value in rows[0][1:5]]
        assert header == [document[name] for name in ("number", "customer", "date", "memo")]
        assert rows[0][5:7] == (Decimal(document["total"]), Decimal(document["tax"]))
        assert [_line(row) for row in rows] == [_told_line(line) for line in document["lines"]]
        if "status" in document:
            assert _one(books, table, "DISTINCT status", f"_key = '{document['internal_id']}'") == (document["status"],)


def _line(row: tuple[Any, ...]) -> tuple[Any, ...]:
    n, product, description, quantity, rate, percent, amount = row[0], *row[7:]
    return (n, product or "", description or "", quantity, rate if percent is None else (percent, "%"), amount)


def _told_line(line: dict[str, Any]) -> tuple[Any, ...]:
    quantity, rate, amount = (_told_number(line[name]) for name in ("quantity", "rate", "amount"))
    return (line["n"], line["product"], line["description"], quantity, rate, amount)


def _told_number(text: str) -> Any:
    if not text:
        return None
    return (Decimal(text[:-1]), "%") if text.endswith("%") else Decimal(text)


def test_a_renamed_and_a_late_customer_are_who_they_should_be(books: Books, expected: dict[str, Any]) -> None:
    renamed, late = expected["renamed_customer"], expected["late_customer"]
    assert _one(books, "customers", "customer_name", f"_key = '{renamed['internal_id']}'") == (renamed["new_name"],)
    assert _one(books, "customers", "customer_name", f"_key = '{late['internal_id']}'") == (late["name"],)
    for table, kind in ((_INVOICES, "invoices"), (_RECEIPTS, "receipts")):
        old = _one(books, table, "count(DISTINCT _key)", f"customer = '{renamed['old_name']}'")
        assert old == (renamed[f"{kind}_still_under_the_old_name"],)


def test_prices_end_at_the_last_value_of_their_history(books: Books, expected: dict[str, Any]) -> None:
    for name, history in expected["item_price_history"].items():
        row = _one(books, "items", "item_name, sales_price, purchase_cost", f"_key = '{history['internal_id']}'")
        last = [Decimal(history[kind][-1]["value"]) for kind in ("sales_price", "purchase_cost")]
        assert row == (name, *last)


def test_status_and_lines_changed_with_the_files_that_say_so(
    corpus: Path, expected: dict[str, Any], other_database_url: str, tmp_path: Path
) -> None:
    """Every invoice file is folded, and the telling invoices are looked at after each one."""
    watched = {each["internal_id"]: each for each in expected["interesting_invoices"].values()}
    seen: dict[str, dict[str, list[list[Any]]]] = {key: {"status": [], "lines": []} for key in watched}
    with open_books(other_database_url, tmp_path) as books:
        for path in sorted(corpus.glob("saasant/*Invoice*.csv"), key=_place):
            if path.name == _COPY:
                continue
            books.load(path.name, path.read_bytes())
            for key, status, count in books.rows("invoices GROUP BY _key", "_key, max(status), count(*)", "1"):
                if key in watched:
                    for name, value in (("status", status), ("lines", count)):
                        history = seen[key][name]
                        if not history or history[-1][1] != value:
                            history.append([path.name, value])
    for key, told in watched.items():
        assert seen[key]["status"] == told["status_history_by_file"]
        assert seen[key]["lines"] == told["line_count_history_by_file"]


def test_folding_everything_anew_touches_no_row(books: Books) -> None:
    for dataset in datasets().values():
        assert books.refold(dataset.full_name) == 0


def test_the_last_full_statement_of_every_record_is_what_its_table_holds(corpus: Path, books: Books) -> None:
    """Read the files a second time with nothing but Python's csv, and compare each text column of each record."""
    for name in (_INVOICES, _RECEIPTS):
        dataset = dataset_named(name)
        last = _last_statements(corpus, dataset)
        headers = {"customer": "Customer", "memo": "Memo", "product_service": "Product/Service"}
        stored = books.rows(name, "_key, " + ", ".join(headers), "_key, _line")
        told = [
            (key, *(lines.get(header) or None for header in headers.values()))
            for key in sorted(last)
            for lines in last[key]
        ]
        assert sorted(stored, key=str) == sorted(told, key=str)


def _last_statements(corpus: Path, dataset: Dataset) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    stem = dataset.title.replace(" ", "_")
    for path in sorted(corpus.glob(f"saasant/*{stem}*.csv"), key=_place):
        own: dict[str, list[dict[str, str]]] = {}
        for row in csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")):
            own.setdefault(row["QuickBooks Internal Id"], []).append(row)
        found |= own
    return found
