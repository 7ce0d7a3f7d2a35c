"""How long loads take: a durable server as a user has it, books without anything in them, and what they are held to.

What is timed is the item's whole transaction: rows, accounting, ledger, commit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg
from books import Books, open_books
from exporter_files import HEADER
from measuring import show_facts
from psycopg import sql

from qbwatch.edges.embedded import EmbeddedPostgres
from qbwatch.edges.lane_reader import READER
from qbwatch.edges.migrate import migrate
from qbwatch.edges.staging import LARGE

ROUNDS = int(os.environ.get("QBWATCH_BENCH_ROUNDS", "5"))
_CHUNK = 1 << 16
_DAYS = 28  # of a month, each of which may have a file


@contextmanager
def durable_server() -> Iterator[str]:
    """The URL of a durable server of its own."""
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
    """An export of invoices of that day."""
    return f"Invoice_{month:02}_{day:02}_{year}_2_00_03.csv"


def nth_name(number: int) -> str:
    """The export of the n-th of many days in a row."""
    return name_of(1 + number % _DAYS, 1 + number // _DAYS % 12, 2010 + number // (12 * _DAYS))


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def load_seconds(books: Books, name: str, data: bytes) -> float:
    """Of the item alone: taking the file into the vault is the intake's affair, and so is having its reader started."""
    if len(data) >= LARGE:
        READER.prepare()
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


def show_beside_copy(title: str, copies: list[float], measured: dict[str, list[float]]) -> None:
    """Medians, and the median of the rounds' ratios."""
    facts = [("copy into columns of text", f"{median(copies):7.2f} s")]
    for name, taken in measured.items():
        ratio = median(each / copy for each, copy in zip(taken, copies, strict=True))
        facts.append((name, f"{median(taken):7.2f} s  {ratio:6.2f} x"))
    show_facts(title, facts)
