"""One part is loaded in one transaction, with every row and cent accounted for, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from books import Books, open_books
from exports import CUSTOMER, INVOICE, csv_bytes, customers, invoices

from qbwatch.core.model import RowCounts
from qbwatch.datasets import datasets
from qbwatch.edges import store
from qbwatch.edges.loader import LoadRefused, LoadStopped
from qbwatch.edges.postgres import DATABASE_ERRORS, driver, failure_of, is_lost
from qbwatch.edges.stage_rows import RowCopy
from qbwatch.edges.tables import ensure_raw_tables, raw_columns
from qbwatch.edges.vault import VaultError
from qbwatch.formats.refusal import Refusal

CUSTOMERS, INVOICES = "Customer_04_04_2025_1_00_02.csv", "Invoice_04_04_2025_2_00_03.csv"
LATER, EARLIER = "Invoice_04_05_2025_2_00_03.csv", "Invoice_04_01_2025_2_00_03.csv"


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


def test_what_was_read_is_accounted_for_row_by_row_and_cent_by_cent(books: Books) -> None:
    many = {f"N{n:02}": [("p", "1.10"), ("q", "(0.10)")] for n in range(20)}
    data = invoices(many | {"BAD": [("x", "1.00"), ("y", "one")]}) + b",,,,,,,,,\r\n"
    result = books.load(INVOICES, data)
    assert result.rows == RowCounts(read=43, structural=1, inserted=40, rejected=2)
    assert result.sums["product_service_amount"] == Decimal("20.00")
    assert result.sums["total_amount"] == Decimal("4000.00")
    assert [(reject.line, reject.text) for reject in result.rejects] == [(42, ""), (43, "one")]
    assert "read as utf-8" in result.notes


def test_the_ledger_holds_the_accounting_the_sums_and_the_rejects(books: Books) -> None:
    many = {f"N{n:02}": [("p", "1.10")] for n in range(20)}
    item_id = books.take(INVOICES, invoices(many | {"BAD": [("y", "one")]}))
    books.load_item(item_id)
    item = books.item(item_id)
    counts = [item[f"rows_{name}"] for name in ("read", "structural", "inserted", "updated", "unchanged", "rejected")]
    assert counts == [21, 0, 20, 0, 0, 1]
    assert item["sums"]["product_service_amount"] == "22.00"
    assert (item["state"], item["is_folded"], item["loaded_at"]) == ("loaded", True, books.at)
    with books.connection.begin():
        cursor = driver(books.connection).execute(
            "SELECT line, column_name, text, reason FROM qbwatch.rejected_rows WHERE work_item_id = %s", [item_id]
        )
        assert cursor.fetchall() == [(22, "Product/Service Rate", "one", "not an amount")]


def test_each_row_says_where_it_came_from(books: Books) -> None:
    item_id = books.take(INVOICES, invoices({"A": [("x", "1.00")], "B": [("y", "2.00"), ("z", "3.00")]}))
    books.load_item(item_id)
    item = books.item(item_id)
    lineage = books.rows("invoices", "_key, _line, _row_number, _file_id, _as_of, _loaded_at", "_row_number")
    own = (item["file_id"], item["as_of"], books.at)
    assert lineage == [("A", 1, 1, *own), ("B", 1, 2, *own), ("B", 2, 3, *own)]


def test_values_arrive_exactly_as_the_file_states_them(books: Books) -> None:
    names = ["  Acme LLC ", "O’Neil\u00a0& Söhne", "two\r\nlines", "back\\slash\ttab", "5013 · Rent", "\\N", "’"]
    for encoding, rows in (("utf-8", names), ("cp1252", names)):
        data = csv_bytes(CUSTOMER, *([f"8-{n}", name, "", "", ""] for n, name in enumerate(rows)), encoding=encoding)
        books.load(f"Customer_04_0{4 + len(encoding) % 2}_2025_1_00_02.csv", data)
        assert [name for (name,) in books.rows("customers", "customer_name")] == names


def test_prices_and_percentages_never_share_a_column(books: Books) -> None:
    row = ["A", "1", "Acme", "04-01-2025", "p", "1", "-10%", "-0.77", "7.39", ""]
    books.load(INVOICES, csv_bytes(INVOICE, row, [*row[:6], "12.50", *row[7:]]))
    assert books.rows("invoices", "product_service_rate, product_service_rate_percent", "_line") == [
        (None, Decimal(-10)),
        (Decimal("12.50"), None),
    ]


def test_a_file_with_too_many_unreadable_rows_is_refused_whole(books: Books) -> None:
    books.load(INVOICES, invoices({"A": [("x", "1.00")]}))
    before = books.content()
    item_id = books.take(LATER, invoices({"A": [("x", "2.00")], "B": [("y", "one")]}))
    with pytest.raises(LoadRefused) as caught:
        books.load_item(item_id)
    assert caught.value.failure.code == "too_many_rejects"
    assert [reject.line for reject in caught.value.rejects] == [3]
    assert books.content() == before
    assert books.item(item_id)["state"] == "loading"


def test_sums_that_disagree_roll_everything_back(books: Books) -> None:
    statement = {"A": [("x", "1.00"), ("y", "2.00")]}
    books.load(INVOICES, invoices(statement))
    books.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 99 WHERE _line = 1")
    before = books.content()
    with pytest.raises(LoadRefused, match=r"product_service_amount \(8\.00 in the file, 106\.00 in the table\)"):
        books.load(LATER, invoices(statement | {"B": [("z", "5.00")]}))
    assert books.content() == before
    assert books.refold("invoices") == 1
    assert books.load_item(_put_back(books)).rows.inserted == 1
    assert books.lines() == statement | {"B": [("z", "5.00")]}


def _put_back(books: Books) -> int:
    with books.connection.begin():
        (item_id,) = driver(books.connection).execute(
            "SELECT id FROM qbwatch.work_items WHERE state = 'loading'"
        ).fetchone() or (0,)  # fmt: skip
        store.put_back(books.connection, item_id, books.tick())
    return int(item_id)


def test_a_date_in_another_order_loads_nothing(books: Books) -> None:
    row = ["A", "1", "Acme", "04-01-2025", "p", "1", "1.00", "1.00", "1.00", ""]
    with pytest.raises(Refusal, match="line 102"):
        books.load(INVOICES, csv_bytes(INVOICE, *[row] * 100, [*row[:3], "31-12-2025", *row[4:]]))
    assert books.rows("invoices", "count(*)", "1") == [(0,)]


def test_a_stop_in_the_middle_leaves_nothing(books: Books) -> None:
    looks = iter([False, False, True])
    books.loader = replace(books.loader, should_stop=lambda: next(looks))
    item_id = books.take(CUSTOMERS, customers(*([f"8-{n}", "x"] for n in range(5000))))
    with pytest.raises(LoadStopped):
        books.load_item(item_id)
    assert books.rows("customers", "count(*)", "1") == [(0,)]
    books.loader = replace(books.loader, should_stop=lambda: False)
    _put_back(books)
    assert books.load_item(item_id).rows.inserted == 5000


@pytest.mark.parametrize("late", [False, True])
def test_an_error_between_the_rows_and_the_ledger_leaves_neither(books: Books, late: bool) -> None:
    books.load(INVOICES, invoices({"A": [("x", "1.00")]}))
    before = books.content()
    item_id = books.take(EARLIER if late else LATER, invoices({"A": [("x", "2.00")], "B": [("y", "3.00")]}))
    books.execute(f"ALTER TABLE qbwatch.work_items ADD CONSTRAINT broken CHECK (id <> {item_id} OR state <> 'loaded')")
    with pytest.raises(Exception, match="broken"):
        books.load_item(item_id)
    assert books.content() == before
    assert (books.item(item_id)["state"], books.item(item_id)["rows_read"]) == ("loading", None)
    books.execute("ALTER TABLE qbwatch.work_items DROP CONSTRAINT broken")
    _put_back(books)
    books.load_item(item_id)
    assert books.lines()["B"] == [("y", "3.00")]


def test_a_connection_that_is_killed_in_the_middle_leaves_nothing(books: Books, database_url: str) -> None:
    item = books.claim(books.take(CUSTOMERS, customers(["8-1", "Acme"])))

    def load_and_lose_the_connection() -> None:
        with books.connection.begin():
            result = books.loader.append(books.connection, item, books.tick())
            with psycopg.connect(database_url) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [driver(books.connection).info.backend_pid])
            store.finish(books.connection, item, result, books.at)

    with pytest.raises(DATABASE_ERRORS) as caught:
        load_and_lose_the_connection()
    assert failure_of(caught.value).is_transient
    assert is_lost(books.connection)
    with psycopg.connect(database_url) as fresh:
        assert fresh.execute("SELECT count(*) FROM raw.quickbooks_customers").fetchone() == (0,)


def test_an_unreadable_key_in_a_full_export_is_listed_and_not_a_fault(books: Books) -> None:
    books.load(CUSTOMERS, customers(["8-1", "Acme"]))
    many = [[f"9-{number}", "x"] for number in range(30)]
    bad = [["8\x00-1", "NUL"], ["8" * 3000, "long"], ["8-2", "a\x00b"]]
    item_id = books.take("01_BACKUP_Customer_04_09_2025.csv", customers(*many, *bad))
    result = books.load_item(item_id)
    assert (result.rows.rejected, result.rows.inserted, result.rows.removed) == (3, 30, 0)
    assert [reject.text for reject in result.rejects] == ["8␀-1", "8" * 80, "a␀b"]


def test_a_copy_that_is_missing_in_the_vault_is_not_the_files_fault(books: Books) -> None:
    item = books.claim(books.take(CUSTOMERS, customers(["8-1", "Acme"])))
    for copy in (books.folder / "vault").rglob(f"{item.content_hash}.zst"):
        copy.unlink()
    with pytest.raises(VaultError), books.connection.begin():
        books.loader.append(books.connection, item, books.tick())


def test_a_header_without_rows_loads_as_nothing(books: Books) -> None:
    books.load(CUSTOMERS, customers(["8-1", "Acme"]))
    result = books.load("01_BACKUP_Customer_04_09_2025.csv", customers())
    assert result.rows == RowCounts()
    assert "a full export without a row: nothing was removed" in result.notes
    assert books.rows("customers", "_removed_at") == [(None,)]


def test_raw_tables_hold_what_is_declared_and_grow_with_it(books: Books) -> None:
    books.load(CUSTOMERS, customers(["8-1", "Acme"]))
    books.execute("ALTER TABLE raw.quickbooks_customers DROP COLUMN notes")
    with books.connection.begin():
        ensure_raw_tables(books.connection, "raw")
        ensure_raw_tables(books.connection, "raw")
    with books.connection.begin():
        rows = driver(books.connection).execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'raw'"
        ).fetchall()  # fmt: skip
    for dataset in datasets().values():
        assert {column for table, column in rows if table == dataset.table} == set(raw_columns(dataset))
    assert books.load("Customer_04_05_2025_1_00_02.csv", customers(["8-2", "Beta"])).rows.inserted == 1


def test_a_new_raw_table_begins_with_its_key_and_the_row_s_place(books: Books) -> None:
    with books.connection.begin():
        found = driver(books.connection).execute(
            """SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
               FROM information_schema.columns WHERE table_schema = 'raw' GROUP BY table_name"""
        ).fetchall()  # fmt: skip
    names = dict(found)
    for dataset in datasets().values():
        assert names[dataset.table][:3] == ["_key", "_line", "_row_hash"]


def test_a_raw_table_whose_columns_stand_in_another_order_is_filled_alike(books: Books) -> None:
    books.load(CUSTOMERS, customers(["8-1", "Acme"], ["8-2", "Beta"]))
    kept = books.rows("customers", "_key, full_name, _line, _row_hash, _row_number")
    books.execute("DELETE FROM raw.quickbooks_customers")
    for name, kind in (("_row_hash", "bigint"), ("_line", "integer"), ("full_name", "text")):
        books.execute(f"ALTER TABLE raw.quickbooks_customers DROP COLUMN {name} CASCADE, ADD COLUMN {name} {kind}")
    books.load("Customer_04_05_2025_1_00_02.csv", customers(["8-1", "Acme"], ["8-2", "Beta"]))
    assert books.rows("customers", "_key, full_name, _line, _row_hash, _row_number") == kept


@pytest.mark.parametrize(
    "rest", [{}, {"microsecond": 1}, {"hour": 23, "minute": 59, "second": 59, "microsecond": 999_999}]
)
@pytest.mark.parametrize("year", [1000, 1999, 2025, 9999])
def test_moments_are_written_so_that_postgres_reads_them_exactly(books: Books, year: int, rest: dict[str, int]) -> None:
    moment = datetime(year, 2, 3, tzinfo=UTC).replace(**rest)  # type: ignore[arg-type]
    item = replace(books.claim(books.take(CUSTOMERS, customers(["8-1", "Acme"]))), as_of=moment)
    with books.connection.begin():
        cursor = driver(books.connection).cursor()
        _, _, as_of, loaded_at = RowCopy(cursor, item, moment).lineage.decode().rstrip("\n").split("\t")
        for text in (as_of, loaded_at):
            assert cursor.execute("SELECT WHERE %s::text::timestamptz = %s", [text, moment]).rowcount == 1
