"""Reports in the raw tables: every value of its type, every row accounted for, every sum as the report prints it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from books import Books, open_books
from small_reports import sale, sales_report, section, total

from qbwatch.formats.refusal import Refusal

SALES = "Acme Ltd_Sales by Customer Detail 2025-04-14.csv"


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "table", "rows", "column", "amount"),
    [
        ("desktop/sales_by_customer_detail_small.csv", "sales_detail", 258, "amount", "197570.40"),
        ("desktop/sales_by_item_detail.CSV", "sales_detail", 207, "amount", "117202.36"),
        ("qbo/Ostrand Lockworks Inc_General Ledger.csv", "general_ledger", 5, "amount", "1140.95"),
        ("qbo/Ostrand Lockworks Inc_General Ledger.xlsx", "general_ledger", 5, "amount", "1140.95"),
        ("qbo/Ostrand Lockworks Inc_Journal.csv", "journal", 7, "credit", "5829.45"),
        ("qbo/Skerry Light LLC_Open Invoices.csv", "open_invoices", 3, "open_balance", "2565.00"),
        ("qbo/Tarn Fell Boatworks_Transaction List by Date.csv", "transactions", 5, "amount", "10528.65"),
    ],
)
def test_a_report_of_the_corpus_arrives_with_its_figures(
    books: Books, corpus: Path, name: str, table: str, rows: int, column: str, amount: str
) -> None:
    file = corpus / name
    result = books.load(f"{file.stem} 2025-04-14{file.suffix}", file.read_bytes())
    assert (result.rows.inserted, result.rows.rejected) == (rows, 0)
    assert result.sums[column] == Decimal(amount)
    assert books.rows(table, f"count(*), sum({column})", "1") == [(rows, Decimal(amount))]


def test_rows_are_kept_by_their_day_in_the_report_s_order(books: Books) -> None:
    rows = [sale("01/06/2025", "1.00"), sale("01/05/2025", "2.00"), sale("01/06/2025", "3.00")]
    books.load(SALES, sales_report(section("Odell"), *rows, total("Total for Odell", "6.00")).encode())
    kept = books.rows("sales_detail", "_key, _line, customer, amount, report", "_key, _line")
    assert kept == [
        ("2025-01-05", 1, "Odell", Decimal("2.00"), "Sales by Customer Detail"),
        ("2025-01-06", 1, "Odell", Decimal("1.00"), "Sales by Customer Detail"),
        ("2025-01-06", 2, "Odell", Decimal("3.00"), "Sales by Customer Detail"),
    ]


def test_nothing_is_kept_of_a_report_whose_totals_disagree(books: Books) -> None:
    with pytest.raises(Refusal, match="don't agree"):
        books.load(SALES, sales_report(section("Odell"), sale("01/06/2025", "1.00"), total("TOTAL", "2.00")).encode())
    assert books.rows("sales_detail", "_key", "1") == []


def test_a_report_that_breaks_off_is_loaded_with_a_note(books: Books) -> None:
    whole = [section("Odell"), sale("01/06/2025", "1.00"), total("Total for Odell", "1.00")]
    result = books.load(SALES, sales_report(*whole, section("Zelda"), sale("01/07/2025", "2.00")).encode())
    assert result.rows.inserted == 2
    assert [note for note in result.notes if "breaks off" in note]


def test_a_report_empties_the_days_of_its_period_that_it_no_longer_names(books: Books) -> None:
    above = 'Acme Ltd\nSales by Customer Detail\n"January 5-7, 2025"\n\n'
    days = [sale(f"01/0{day}/2025", f"{day}.00") for day in (5, 6, 7)]
    books.load(SALES, sales_report(section("Odell"), *days, total("TOTAL", "18.00"), above=above).encode())
    later = SALES.replace("04-14", "04-15")
    result = books.load(later, sales_report(section("Odell"), *days[1:2], total("TOTAL", "6.00"), above=above).encode())
    assert (result.rows.unchanged, result.rows.removed) == (1, 2)
    assert books.rows("sales_detail", "_key") == [("2025-01-06",)]
