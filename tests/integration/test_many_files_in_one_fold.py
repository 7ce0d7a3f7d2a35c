"""Thousands of files are folded in one transaction: what that holds in Postgres doesn't grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from books import Books, open_books
from exports import customers, invoices

from qbwatch.datasets import dataset_named
from qbwatch.edges import store
from qbwatch.edges.refolding import Refolding

FILES = 40
MOST = 60  # locks; a stage and a table of differences of their own would leave ten for each file


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


def test_the_locks_of_a_fold_from_scratch_do_not_grow_with_its_files(books: Books) -> None:
    for number in range(FILES):
        day = date(2025, 1, 1) + timedelta(days=number)
        books.load(f"Customer_{day:%m_%d_%Y}_1_00_02.csv", customers(["8-1", f"Acme {number}"]))
        books.load(f"Invoice_{day:%m_%d_%Y}_2_00_03.csv", invoices({f"{number % 7}": [("p", f"{number}.00")]}))
    for name in ("quickbooks.customers", "quickbooks.invoices"):
        with books.connection.begin():
            items = store.folded_items(books.connection, name)
            assert len(items) == FILES
            Refolding(books.loader, books.connection, dataset_named(name), items, books.tick()).beside()
            held = books.connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()")
            assert held.scalar_one() <= MOST
