"""How long a load takes beside `\\copy` of the same file into a logged table of text columns.

Nothing is judged here, only printed: medians of rounds in which everything is measured in turns, as ratios to the copy
of the same round. What is timed is the item's whole transaction: claim, rows, accounting, ledger, commit. The server is
a durable one, as a user has it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import psycopg
import pytest
from books import Books, open_books
from exporter_files import HEADER, invoice_lines
from installation import Installation
from measuring import memory_mb, show_facts
from psycopg import sql
from waiting import wait_until

from qbwatch.edges.embedded import EmbeddedPostgres
from qbwatch.edges.migrate import migrate

ROUNDS = int(os.environ.get("QBWATCH_BENCH_ROUNDS", "5"))
_CHUNK = 1 << 16
_DAYS = 28  # of a month, each of which may have a file


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A durable server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="qbwatch-bench-"))
    server = EmbeddedPostgres(folder / "postgres")
    try:
        server.start()
        found = server.url_if_running()
        assert found is not None
        yield found
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)


@contextmanager
def fresh_books(url: str) -> Iterator[Books]:
    """No ledger, no rows, no files."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS qbwatch, raw CASCADE")
        connection.execute("DROP TABLE IF EXISTS alembic_version, bare")
        connection.execute("CHECKPOINT")
    migrate(url)
    with tempfile.TemporaryDirectory(prefix="qbwatch-bench-") as folder, open_books(url, Path(folder)) as books:
        yield books


def name_of(day: int, month: int = 4, year: int = 2025) -> str:
    return f"Invoice_{month:02}_{day:02}_{year}_2_00_03.csv"


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def load_seconds(books: Books, name: str, data: bytes) -> float:
    """Of the item alone: taking the file into the vault is the intake's affair."""
    item_id = books.take(name, data)
    return seconds(lambda: books.load_item(item_id))


def copy_seconds(url: str, data: bytes) -> float:
    """Of `\\copy` and commit into an existing, logged table of text columns; by psycopg where there is no psql."""
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in HEADER.split(","))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute(sql.SQL("CREATE TABLE bare ({})").format(columns))
    if psql := shutil.which("psql"):
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(data)
            file.flush()
            command = f"\\copy bare from '{file.name}' (format csv, header)"
            return seconds(lambda: subprocess.run([psql, url, "-qXc", command], check=True))
    return seconds(lambda: _copy_by_driver(url, data))


def _copy_by_driver(url: str, data: bytes) -> None:
    with (
        psycopg.connect(url) as connection,
        connection.cursor().copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as copy,
    ):
        for start in range(0, len(data), _CHUNK):
            copy.write(data[start : start + _CHUNK])


def show(title: str, copies: list[float], measured: dict[str, list[float]]) -> None:
    """Medians, and the median of the rounds' ratios."""
    facts = [("copy into columns of text", f"{median(copies):7.2f} s")]
    for name, taken in measured.items():
        ratio = median(each / copy for each, copy in zip(taken, copies, strict=True))
        facts.append((name, f"{median(taken):7.2f} s  {ratio:6.2f} x"))
    show_facts(title, facts)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("lines", [50_000, 1_000_000])
def test_a_large_export_beside_a_copy(url: str, lines: int) -> None:
    data, changed = invoice_lines(lines), invoice_lines(lines, changed_documents=0.01)
    names = ("into an empty dataset", "again, 1 % of the documents changed", "again, none changed", "a duplicate")
    measured: dict[str, list[float]] = {name: [] for name in names}
    copies: list[float] = []
    for _ in range(ROUNDS):
        with fresh_books(url) as books:
            copies.append(copy_seconds(url, data))
            taken = [load_seconds(books, name_of(day), each) for day, each in enumerate((data, changed, changed), 1)]
            source = str(books.folder / "drop.csv").encode()
            taken.append(seconds(partial(books.loader.vault.take, source)))
            for name, each in zip(names, taken, strict=True):
                measured[name].append(each)
    show(f"{lines:,} invoice lines, {len(data) / 1e6:.0f} MB, {ROUNDS} rounds", copies, measured)


@pytest.mark.timeout(1800)
def test_a_late_file_under_thirty_newer_ones(url: str) -> None:
    files = [(name_of(1 + n % _DAYS, 1 + n // _DAYS), invoice_lines(1000, first=1 + n * 100)) for n in range(31)]
    in_order: list[float] = []
    late: list[float] = []
    for _ in range(ROUNDS):
        with fresh_books(url) as books:
            in_order.append(sum(load_seconds(books, *file) for file in files))
        with fresh_books(url) as books:
            for file in files[1:]:
                load_seconds(books, *file)
            late.append(load_seconds(books, *files[0]))
    ratio = median(a / b for a, b in zip(late, in_order, strict=True))
    facts = [
        ("31 files of 1,000 lines, in order", f"{median(in_order):.2f} s"),
        ("the oldest of them last", f"{median(late):.2f} s  {ratio:.2f} x"),
    ]
    show_facts("A late file", facts)


@pytest.mark.timeout(3600)
def test_what_a_row_costs_as_files_and_histories_grow(url: str) -> None:
    facts = []
    for lines in (10_000, 100_000, 1_000_000):
        data = invoice_lines(lines)
        taken = []
        for _ in range(ROUNDS):
            with fresh_books(url) as books:
                taken.append(load_seconds(books, name_of(1), data))
        facts.append((f"{lines:,} lines, no history", f"{median(taken) / lines * 1e6:.2f} µs a line"))
    again = invoice_lines(100_000, changed_documents=0.01)
    for files in (1, 100, 1000):
        share = 100_000 // files
        with fresh_books(url) as books:
            for number in range(files):
                data = invoice_lines(share, first=1 + number * share)
                load_seconds(books, name_of(1 + number % _DAYS, 1 + number // _DAYS % 12, 2010 + number // 336), data)
            taken = [load_seconds(books, name_of(day, 5), again) for day in range(1, ROUNDS + 1)]
        facts.append((f"100,000 lines over {files:,} files", f"{median(taken) / 1e5 * 1e6:.2f} µs a line"))
    show_facts("Growth", facts)


@pytest.mark.timeout(600)
def test_memory_of_the_daemon_while_it_loads_a_million_lines(install: Callable[..., Installation]) -> None:
    installation = install()
    installation.start()
    assert installation.daemon is not None
    pid = installation.daemon.pid
    idle = memory_mb(pid)
    (installation.root / name_of(1)).write_bytes(invoice_lines(1_000_000))
    os.rename(installation.root / name_of(1), installation.input / name_of(1))
    wait_until(
        lambda: installation.outcomes().get(name_of(1)) == "loaded",
        300,
        f"the file to be loaded; the log:\n{installation.log}",
    )
    peak = memory_mb(pid, "VmHWM")
    show_facts("Memory", [("idle", f"{idle:.0f} MB"), ("peak while 1,000,000 lines are loaded", f"{peak:.0f} MB")])
