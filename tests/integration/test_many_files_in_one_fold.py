"""Thousands of files are folded in one transaction: what that holds in Postgres doesn't grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from books import Books, open_books
from exports import customers, invoices

from qbwatch.core.model import WorkItem
from qbwatch.datasets import dataset_named
from qbwatch.edges import staging, store
from qbwatch.edges.difference import difference
from qbwatch.edges.refolding import Refolding

FILES = 40
MOST = 80  # locks, where 64 are held after ten files as after eighty; tables made anew would add ten for each


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("are_large", [False, True])
def test_the_locks_of_a_fold_from_scratch_do_not_grow_with_its_files(
    books: Books, monkeypatch: pytest.MonkeyPatch, *, are_large: bool
) -> None:
    if are_large:  # only what changed is sent, and the rest is known by its sums
        for name in ("LARGE", "_SMALL", "HUGE"):
            monkeypatch.setattr(staging, name, 0)
        monkeypatch.setattr(staging, "_MANIFOLD", 1 << 20)
    for name, items in loaded(books).items():
        with books.connection.begin():
            Refolding(books.loader, books.connection, dataset_named(name), items, books.tick()).beside()
            assert locks(books) <= MOST
            sums = books.connection.exec_driver_sql("SELECT to_regclass('pg_temp.qbwatch_rest')").scalar_one()
            assert (sums is not None) is (are_large and name == "quickbooks.invoices")


def test_the_locks_of_many_comparisons_do_not_grow_with_them(books: Books) -> None:
    for items in loaded(books).values():
        with books.connection.begin():
            assert locks(books) < MOST  # what is asked first begins the transaction
            for earlier, newer in pairwise(items):
                assert difference(books.loader, books.connection, newer, earlier, books.tick()) is not None
            assert locks(books) <= MOST


def loaded(books: Books) -> dict[str, list[WorkItem]]:
    """Many files of a list and of documents, by dataset."""
    for number in range(FILES):
        day = date(2025, 1, 1) + timedelta(days=number)
        books.load(f"Customer_{day:%m_%d_%Y}_1_00_02.csv", customers(["8-1", f"Acme {number}"]))
        books.load(f"Invoice_{day:%m_%d_%Y}_2_00_03.csv", invoices({f"{number % 7}": [("p", f"{number}.00")]}))
    found: dict[str, list[WorkItem]] = {}
    for name in ("quickbooks.customers", "quickbooks.invoices"):
        with books.connection.begin():
            found[name] = list(store.folded_items(books.connection, name))
        assert len(found[name]) == FILES
    return found


def locks(books: Books) -> int:
    """How many this transaction holds."""
    query = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
    held: int = books.connection.exec_driver_sql(query).scalar_one()
    return held
