"""What a row costs as files grow, and what a small file costs as the ledger behind it grows: neither should be felt.

A million lines take their time, so they are asked for by ``QBWATCH_BENCH_LINES=1000000``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from books import Books
from exporter_files import invoice_lines
from load_seconds import ROUNDS, fresh_books, load_seconds, name_of, nth_name

LARGEST = int(os.environ.get("QBWATCH_BENCH_LINES", "100000"))
HISTORIES = (1, 100, 1000)  # files in the ledger
KNOWN = 100_000  # lines in the dataset
SMALL = 1000  # lines of the file that is loaded then
GROWTH = 1.25
WARM = 2  # loads that fill the caches


@pytest.mark.timeout(3600)
def test_what_a_row_costs_as_files_grow(url: str) -> None:
    sizes = [lines for lines in (10_000, 100_000, 1_000_000) if lines <= LARGEST]
    files = {lines: invoice_lines(lines) for lines in sizes}
    measured: dict[int, list[float]] = {lines: [] for lines in sizes}
    for _ in range(ROUNDS):
        for lines, data in files.items():
            with fresh_books(url) as books:
                measured[lines].append(load_seconds(books, name_of(1), data) / lines)
    growth = show_growth("Lines of a file, into an empty dataset", measured)
    assert max(growth) <= GROWTH


@pytest.mark.timeout(3600)
def test_what_a_small_file_costs_as_the_history_grows(url: str) -> None:
    changed = [invoice_lines(SMALL, changed_documents=0.01 * number) for number in range(2)]
    measured: dict[int, list[float]] = {files: [] for files in HISTORIES}
    with ExitStack() as closing:
        histories = {files: closing.enter_context(books_of_history(url, files)) for files in HISTORIES}
        for number in range(WARM + 2 * ROUNDS):
            for files, books in histories.items():
                taken = load_seconds(books, nth_name(files + number), changed[number % 2])
                if number >= WARM:
                    measured[files].append(taken / SMALL)
    growth = show_growth(f"Files in the history of {KNOWN:,} lines, before one of {SMALL:,} lines is loaded", measured)
    assert max(growth) <= GROWTH


@contextmanager
def books_of_history(url: str, files: int) -> Iterator[Books]:
    """Books in a database of their own that loaded so many files."""
    parts, share = urlsplit(url), KNOWN // files
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE history_{files}".encode())
    with fresh_books(urlunsplit(parts._replace(path=f"/history_{files}"))) as books:
        for number in range(files):
            load_seconds(books, nth_name(number), invoice_lines(share, first=1 + number * share))
        books.execute("ANALYZE")  # as autovacuum does in the long run
        yield books


def show_growth(title: str, measured: Mapping[int, Sequence[float]]) -> list[float]:
    """Print what a row costs, and by how much that is more than in the first line; returns these."""
    first = median(next(iter(measured.values())))
    growth = [median(taken) / first for taken in measured.values()]
    print(f"\n\n{title}\n{'':>12}{'a row':>12}{'best':>12}{'growth':>9}{'n':>4}")
    for (size, taken), grown in zip(measured.items(), growth, strict=True):
        print(f"{size:>12,}{median(taken) * 1e6:>9.2f} µs{min(taken) * 1e6:>9.2f} µs{grown:>8.2f}x{len(taken):>4}")
    return growth
