"""The history of item prices: kept by the fold, so it is the same whatever the order in which files arrive."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from books import Books, open_books

HEADER = "QuickBooks Internal Id,Item Name,Item Type,Sales Price,Purchase Cost\n"
FILES = {
    "Item_04_01_2025_1_00_00.csv": "i,Hook,Service,10.00,4.00\nj,Eye,Service,1.00,0.50\n",
    "Item_04_02_2025_1_00_00.csv": "i,Hook,Service,12.00,4.00\n",
    "Item_04_03_2025_1_00_00.csv": "i,Hook,Service,12.00,4.00\nj,Eye,Service,1.00,0.50\n",
    "Item_04_04_2025_1_00_00.csv": "i,Hook,Service,10.00,4.00\n",
}
HISTORY = [
    ("i", "2025-04-01", Decimal("10.00"), Decimal("4.00")),
    ("i", "2025-04-02", Decimal("12.00"), Decimal("4.00")),
    ("i", "2025-04-04", Decimal("10.00"), Decimal("4.00")),
    ("j", "2025-04-01", Decimal("1.00"), Decimal("0.50")),
]


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


def history(books: Books) -> list[tuple[object, ...]]:
    columns = "_key, _as_of::date::text, sales_price, purchase_cost"
    return books.rows("item_prices", columns, "_key, _as_of")


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_prices_are_noted_when_they_change_whatever_the_order_of_arrival(books: Books, order: tuple[int, ...]) -> None:
    names = list(FILES)
    for place in order:
        books.load(names[place], (HEADER + FILES[names[place]]).encode())

    assert history(books) == HISTORY
    before = books.content()
    books.refold("quickbooks.items")
    assert books.content() == before


def test_a_late_file_that_changes_nothing_today_still_changes_the_history(books: Books) -> None:
    books.load("Item_04_01_2025_1_00_00.csv", (HEADER + "i,Hook,Service,10.00,4.00\n").encode())
    books.load("Item_04_03_2025_1_00_00.csv", (HEADER + "i,Hook,Service,10.00,4.00\n").encode())
    assert len(history(books)) == 1

    books.load("Item_04_02_2025_1_00_00.csv", (HEADER + "i,Hook,Service,11.00,4.00\n").encode())

    assert [price for _, _, price, _ in history(books)] == [Decimal(10), Decimal(11), Decimal(10)]
    assert books.refold("quickbooks.items") == 0
