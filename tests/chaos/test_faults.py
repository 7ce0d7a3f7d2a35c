"""Each fault of the database, a real one: the daemon goes on by itself, no attempt is used up, rows stand once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from faulty import FEW, Lab, expected_of, new_database, settings
from holding import held, waits_in_a_load
from installation import Installation
from lossy_proxy import LossyProxy
from small_files import many_invoices
from waiting import wait_until

from qbwatch.edges.embedded import EmbeddedPostgres

# Seconds. The longest pause between tries is 15, so a longer one shows nothing new.
OUTAGE = float(os.environ.get("QBWATCH_CHAOS_LONG_OUTAGE", "20"))
DOWN = ("database_down", "database_connection", "database_stopped")


@pytest.fixture
def proxied(
    server: EmbeddedPostgres, project: Path, install: Callable[..., Installation]
) -> Iterator[tuple[Lab, LossyProxy]]:
    """A daemon that reaches its database over TCP, through a proxy."""
    with new_database(server) as name, ExitStack() as closing:
        proxy = LossyProxy(server.data / ".s.PGSQL.5432")
        closing.callback(proxy.close)
        url = f"postgresql://qbwatch@127.0.0.1:{proxy.port}/{name}"
        made = Lab(server, install(url=url, extra=settings(project)), name)
        made.start()
        yield made, proxy


def test_postgres_dies_during_a_copy(
    proxied: tuple[Lab, LossyProxy], project: Path, install: Callable[..., Installation]
) -> None:
    lab, proxy = proxied
    large = many_invoices(30_000)
    copying: set[int] = set()
    stopped = threading.Event()

    def stop_among_the_rows(number: int, data: bytes) -> None:
        if number in copying and not stopped.is_set():
            lab.server.stop("immediate")
            stopped.set()
        elif b"COPY " in data:
            copying.add(number)

    proxy.on_request = stop_among_the_rows
    lab.drop([large])
    assert stopped.wait(60), "rows to be sent"
    lab.server.start()
    lab.assert_well([large], expected_of(install, [large], project))


@pytest.mark.parametrize("outcome", ["committed", "rolled back"])
def test_the_answer_to_a_commit_is_lost(
    proxied: tuple[Lab, LossyProxy], few_expected: dict[str, list[str]], outcome: str
) -> None:
    lab, proxy = proxied
    loading: set[int] = set()
    cut: list[int] = []

    def lose_first_commit(number: int, data: bytes) -> bool | None:
        if b"COPY " in data:
            loading.add(number)
        if number in loading and b"COMMIT" in data and not cut:
            cut.append(number)
            return outcome == "committed"
        return None

    proxy.on_request = lose_first_commit
    lab.drop(FEW)
    wait_until(lambda: cut, 60, "the commit of a load")
    lab.assert_well(FEW, few_expected)


def test_postgres_is_restarted_during_a_commit(
    proxied: tuple[Lab, LossyProxy], few_expected: dict[str, list[str]]
) -> None:
    """Whether it came in time is for Postgres to know; either way there is nothing to do twice, or to miss."""
    lab, proxy = proxied
    loading: set[int] = set()
    stopping = threading.Thread(target=lambda: lab.server.stop("immediate"))

    def stop_at_first_commit(number: int, data: bytes) -> bool | None:
        if b"COPY " in data:
            loading.add(number)
        if number in loading and b"COMMIT" in data and stopping.ident is None:
            stopping.start()
        return None

    proxy.on_request = stop_at_first_commit
    lab.drop(FEW)
    wait_until(lambda: stopping.ident is not None, 60, "the commit of a load")
    stopping.join()
    lab.server.start()
    lab.assert_well(FEW, few_expected)


@pytest.mark.timeout(300 + 2 * OUTAGE)
def test_postgres_is_away_for_long(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    lab.drop(FEW[:2])
    lab.installation.wait_settled(2)
    lab.server.stop("immediate")
    began = time.monotonic()
    lab.drop(FEW[2:])
    lab.wait_for_one_problem(*DOWN)
    wait_until(lambda: time.monotonic() - began > OUTAGE, OUTAGE + 5, "the outage to last")
    lab.wait_for_one_problem(*DOWN)
    said = lab.installation.log.count("the database is out of reach")
    lab.server.start()
    lab.assert_well(FEW, few_expected)
    assert said == 1, "an outage is told once"


def test_its_session_is_ended_in_a_load_and_while_it_rests(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = x'7162'::int"
    terminate += f" AND database = (SELECT oid FROM pg_database WHERE datname = '{lab.database}')"
    lab.system(terminate)
    with held(lab.url, "quickbooks_invoices"):
        lab.drop(FEW)
        wait_until(lambda: waits_in_a_load(lab.installation), 60, "a load to be held up")
        lab.system(terminate)
    lab.assert_well(FEW, few_expected)


def test_the_server_is_read_only(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    lab.system("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        lab.drop(FEW)
        lab.wait_for_one_problem("database_read_only")
    finally:
        lab.system("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only")
    lab.assert_well(FEW, few_expected)


def test_the_server_has_no_connection_left(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    lab.system("ALTER SYSTEM SET max_connections = 15")
    try:
        lab.restart()
        lab.drop(FEW[:2])
        lab.installation.wait_settled(2)
        with crowded(lab):
            lab.drop(FEW[2:])
            problem = lab.wait_for_one_problem("database_too_busy", "database_down")
            assert "too many clients" in problem["summary"]
        wait_until(lambda: has_room(lab), 20, "the crowd to be gone")
        lab.assert_well(FEW, few_expected)
    finally:
        wait_until(lambda: has_room(lab), 20, "the crowd to be gone")
        lab.system("ALTER SYSTEM RESET max_connections")
        lab.restart()


@contextmanager
def crowded(lab: Lab) -> Iterator[None]:
    """Others hold every session that the server has, those kept for superusers too, and the daemon has none."""
    query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE backend_type = 'client backend' AND application_name LIKE 'qbwatch%'"""
    with ExitStack() as crowd:
        first = crowd.enter_context(psycopg.connect(lab.url, autocommit=True))

        def is_full() -> bool:
            with suppress(psycopg.OperationalError):
                while True:
                    crowd.enter_context(psycopg.connect(lab.url))
            row = first.execute(query).fetchone()
            return row == (0,)

        wait_until(is_full, 30, "the crowd to take every session")
        yield


def has_room(lab: Lab) -> bool:
    """Whether the server takes one more session."""
    with suppress(psycopg.OperationalError), psycopg.connect(lab.url):
        return True
    return False


def test_the_number_of_sessions_is_bounded(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    seen: list[int] = []
    over = threading.Event()

    def count() -> None:
        with psycopg.connect(lab.url, autocommit=True) as connection:
            while not over.wait(0.02):
                query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'qbwatch%%' AND datname = %s"
                row = connection.execute(query, (lab.database,)).fetchone()
                seen.append(row[0] if row else 0)

    counting = threading.Thread(target=count)
    counting.start()
    try:
        lab.drop(FEW)
        lab.assert_well(FEW, few_expected)
    finally:
        over.set()
        counting.join()
    print(f"\nat most {max(seen)} sessions at once")
    assert max(seen) <= 12, "one that loads, one that takes files in, those of the status, and dbt's"


@pytest.mark.timeout(400)
def test_a_connection_falls_silent_without_being_closed(
    proxied: tuple[Lab, LossyProxy], few_expected: dict[str, list[str]]
) -> None:
    lab, proxy = proxied
    with held(lab.url, "quickbooks_invoices"):
        lab.drop(FEW)
        wait_until(lambda: lab.is_at("wait_event_type = 'Lock'"), 60, "a load to be held up")
        proxy.fall_silent()
    lab.wait_for_one_problem(*DOWN, "database_slow", timeout=120)
    silent = time.monotonic()
    wait_until(lambda: "fell silent" in lab.installation.log, 120, "the silence to be noticed")
    proxy.recover()
    print(f"\nnoticed {time.monotonic() - silent:.0f} s later")
    lab.assert_well(FEW, few_expected)
