"""Fixtures of all tests: one real Postgres per session, and a database of its own for each test that asks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from guarding import temporary_folder

from qbwatch.edges.embedded import DATABASE, EmbeddedPostgres

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Tests that were started in the background ignore Ctrl-C, and would hand that down to what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

TEMPLATE = "qbwatch_template"
_numbers = count(1)

# Files that take longer than half a minute; begun last, one of them would be waited for by the other process.
_LONG = (
    "test_kill_matrix",
    "test_soak",
    "test_fold_is_a_function",
    "test_corpus",
    "test_writers",
    "test_damaged_input",
    "test_faults",
    "test_decide",
    "test_dbt_project",
    "test_dbt_warm",
    "test_corpus_check",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, in this order, so that two processes end at about the same time."""
    places = {name: place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture
def state_directory() -> Iterator[Path]:
    """An empty state folder with a short path, which the account of an embedded Postgres can reach also under root.

    (Pytest's own temporary folder is closed to other accounts.)
    """
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The session's Postgres, fast and not durable."""
    with temporary_folder() as folder:
        server = EmbeddedPostgres(folder / "postgres", durable=False)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """libpq URL of a new database without any of our tables; dropped after the test."""
    with _database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def second_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """Another database like ``empty_database_url``, for comparing two."""
    with _database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, _migrated_template: str) -> Iterator[str]:
    """libpq URL of a new database with the migrations applied; dropped after the test."""
    with _database(postgres_server, _migrated_template) as url:
        yield url


@pytest.fixture
def other_database_url(postgres_server: EmbeddedPostgres, _migrated_template: str) -> Iterator[str]:
    """Another one like `database_url`, to compare two histories."""
    with _database(postgres_server, _migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_server: EmbeddedPostgres, _migrated_template: str) -> Iterator[str]:
    """Like `database_url`, but one for all tests of a module: for what takes long to load and is only looked at."""
    with _database(postgres_server, _migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def _migrated_template(postgres_server: EmbeddedPostgres) -> str:
    from qbwatch.edges.migrate import migrate

    _execute(postgres_server, f"CREATE DATABASE {TEMPLATE}")
    migrate(_url_of(postgres_server, TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real-shaped exports, named by QBWATCH_CORPUS."""
    named = os.environ.get("QBWATCH_CORPUS")
    if not named:
        pytest.skip("needs the export corpus: set QBWATCH_CORPUS to its folder")
    return Path(named)


@contextmanager
def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _url_of(server, name)
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _url_of(server: EmbeddedPostgres, database: str) -> str:
    url = server.url_if_running()
    assert url is not None, "the session's Postgres went away"
    return url.replace(f"/{DATABASE}?", f"/{database}?")


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(_url_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)
