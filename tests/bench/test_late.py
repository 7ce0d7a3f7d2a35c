"""What late files cost, beside the files that they are late under, loaded once and in order.

Files overlap: each states a tenth of new documents, and nine that the one before it stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import pytest
from books import Books
from exporter_files import invoice_lines
from load_seconds import ROUNDS, fresh_books, load_seconds, nth_name, seconds
from measuring import show_facts

from qbwatch.edges import store
from qbwatch.loading import Loading
from qbwatch.progress import Progress

NEWER = 30
LATE = 20

File = tuple[str, bytes]


def exports(count: int) -> list[File]:
    return [(nth_name(n), invoice_lines(1000, first=1 + n * 25)) for n in range(count)]


def run_seconds(books: Books, files: Sequence[File]) -> float:
    """Of the loads of a run in which these files wait."""
    for file in files:
        books.take(*file)
    loading = Loading(books.connection, books.loader, books.tick, Progress(books.run_id, len(files)))
    with books.connection.begin():
        due = store.open_items(books.connection)

    def load() -> None:
        for batch in loading.batches(due):
            loading.load(batch)

    taken = seconds(load)
    assert loading.progress.loaded == len(files), loading.progress.failures
    return taken


@pytest.mark.timeout(1800)
def test_a_late_file_under_thirty_newer_ones(url: str) -> None:
    files = exports(1 + NEWER)
    in_order: list[float] = []
    late: list[float] = []
    for _ in range(ROUNDS):
        with fresh_books(url) as books:
            in_order.append(sum(load_seconds(books, *file) for file in files))
        with fresh_books(url) as books:
            run_seconds(books, files[1:])
            late.append(run_seconds(books, files[:1]))
    ratio = median(a / b for a, b in zip(late, in_order, strict=True))
    facts = [
        (f"{1 + NEWER} files of 1,000 lines, in order", f"{median(in_order):.2f} s"),
        ("the oldest of them last", f"{median(late):.2f} s  {ratio:.2f} x"),
    ]
    show_facts("A late file", facts)
    assert ratio <= 1


@pytest.mark.timeout(1800)
def test_many_late_files_at_once(url: str) -> None:
    files = exports(LATE + NEWER)
    measured: dict[str, list[float]] = {"in order": [], "one": [], "all": []}
    for _ in range(ROUNDS):
        with fresh_books(url) as books:
            measured["in order"].append(run_seconds(books, files))
        with fresh_books(url) as books:
            run_seconds(books, files[LATE:])
            measured["one"].append(run_seconds(books, files[LATE - 1 : LATE]))
        with fresh_books(url) as books:
            run_seconds(books, files[LATE:])
            measured["all"].append(run_seconds(books, files[:LATE]))
    whole = measured["in order"]
    beside = {name: median(a / b for a, b in zip(each, whole, strict=True)) for name, each in measured.items()}
    facts = [
        (f"{LATE + NEWER} files of 1,000 lines, in order", f"{median(whole):.2f} s"),
        (f"one of them late under {NEWER}", f"{median(measured['one']):.2f} s  {beside['one']:.2f} x"),
        (f"{LATE} of them late under {NEWER}, at once", f"{median(measured['all']):.2f} s  {beside['all']:.2f} x"),
    ]
    show_facts("Late files", facts)
    assert beside["all"] <= 2, "it is one fold for all of them, and not one for each"
