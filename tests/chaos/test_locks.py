"""Other sessions are in a load's way: it waits, gives way, is tried again, and holds nobody up itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
from faulty import FEW, Lab, new_database, settings, url_of
from holding import held, items, waits_in_a_load
from installation import Installation
from small_files import many_invoices
from waiting import wait_until

from qbwatch.edges.embedded import EmbeddedPostgres


def test_a_person_locks_a_table_for_a_while(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    with held(lab.url, "quickbooks_invoices"):
        lab.drop(FEW)
        wait_until(lambda: waits_in_a_load(lab.installation), 60, "a load to be held up")
    lab.assert_well(FEW, few_expected)


def test_a_person_locks_a_table_for_longer_than_a_load_waits(
    server: EmbeddedPostgres, project: Path, few_expected: dict[str, list[str]], install: Callable[..., Installation]
) -> None:
    """The minute that it waits is a second here."""
    with new_database(server) as name:
        url = url_of(server, name) + "&options=-c%20lock_timeout%3D1s"
        lab = Lab(server, install(url=url, extra=settings(project)), name)
        lab.start()
        with held(lab.url, "quickbooks_invoices"):
            lab.drop(FEW)
            problem = lab.wait_for_one_problem("database_locked")
            assert "another session holds a lock" in problem["hint"]
            customers = {file.name for file in FEW if file.name.startswith("Customer")}
            wait_until(lambda: customers <= loaded(lab), 60, "the others to go on meanwhile")
            wait_until(lambda: deferrals(lab) > 3, 60, "several tries")
            lab.wait_for_one_problem("database_locked")
        lab.assert_well(FEW, few_expected)


def loaded(lab: Lab) -> set[str]:
    """The files that are loaded by now."""
    return {name for name, (state, _, _) in items(lab.installation).items() if state == "loaded"}


def deferrals(lab: Lab) -> int:
    """How often loads were put off so far."""
    return int(lab.installation.query("SELECT coalesce(sum(deferrals), 0) FROM qbwatch.work_items")[0][0])


def test_a_deadlock_with_a_persons_session(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    with psycopg.connect(lab.url) as person:
        person.execute("SET deadlock_timeout = '1h'")  # so that it is the load's session that finds the deadlock
        person.execute("LOCK TABLE qbwatch.transform_debt IN SHARE MODE")
        lab.drop(FEW)
        wait_until(lambda: lab.is_at("wait_event_type = 'Lock'"), 60, "the load to wait")
        person.execute("LOCK TABLE raw.quickbooks_customers IN ACCESS EXCLUSIVE MODE")
        person.rollback()
    wait_until(lambda: "database_conflict" in lab.installation.log, 20, "the load to give way")
    lab.assert_well(FEW, few_expected)


def test_a_build_by_hand_reads_the_tables_while_they_are_loaded(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    """As dbt's models do, in a transaction that has read them and isn't over: neither waits for the other."""
    with psycopg.connect(lab.url) as build:
        build.execute("CREATE TABLE public.model AS SELECT * FROM raw.quickbooks_invoices")
        build.execute("SELECT count(*) FROM raw.quickbooks_customers")
        lab.drop(FEW)
        lab.assert_well(FEW, few_expected)
        build.execute("SELECT count(*) FROM raw.quickbooks_invoices")


def test_a_deadlock_with_a_build_by_hand(lab: Lab, few_expected: dict[str, list[str]]) -> None:
    """A hook of the build writes to a raw table (an index, a grant) when a load has begun to."""
    with psycopg.connect(lab.url) as build:
        build.execute("SET deadlock_timeout = '1h'")
        build.execute("CREATE INDEX for_a_model ON raw.quickbooks_invoices (customer)")
        lab.drop(FEW)
        wait_until(lambda: lab.is_at("wait_event_type = 'Lock'"), 60, "the load to wait")
        build.execute("LOCK TABLE qbwatch.work_items IN SHARE ROW EXCLUSIVE MODE")
        build.rollback()
    wait_until(lambda: "database_conflict" in lab.installation.log, 20, "the load to give way")
    lab.assert_well(FEW, few_expected)


def test_nothing_idles_in_a_transaction(lab: Lab, install: Callable[..., Installation]) -> None:
    files = [*FEW, many_invoices(20_000)]
    longest: list[float] = [0.0]
    over = threading.Event()

    def sample() -> None:
        query = """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::float
                   FROM pg_stat_activity
                   WHERE datname = %s AND application_name LIKE 'qbwatch%%' AND state LIKE 'idle in transaction%%'"""
        with psycopg.connect(lab.url, autocommit=True) as connection:
            while not over.wait(0.01):
                row = connection.execute(query, (lab.database,)).fetchone()
                longest[0] = max(longest[0], row[0] if row else 0.0)

    sampling = threading.Thread(target=sample)
    sampling.start()
    try:
        lab.drop(files)
        status = lab.installation.wait_settled(len(files))
    finally:
        over.set()
        sampling.join()
    print(f"\nnever idle in a transaction for longer than {longest[0]:.2f} s")
    assert longest[0] < 2.0
    assert status["quarantined"] == []
    assert {state for state, _, _ in items(lab.installation).values()} == {"loaded"}
