"""The pipeline's thread against a real Postgres: turns, locks, lost connections, outages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from small_exports import Office, customers, invoices
from waiting import wait_until

from qbwatch.core.model import ItemState, Mode, QbwatchError
from qbwatch.edges.embedded import EmbeddedPostgres
from qbwatch.edges.migrate import migrate
from qbwatch.edges.postgres import engine_for, try_lock
from qbwatch.pipeline import Scope
from qbwatch.worker import Worker

INVOICE = "Invoice_04_01_2025_2_00_00.csv"


class Running:
    """A worker in a thread of its own."""

    def __init__(self, office: Office, **settings: Any) -> None:
        self.stop = threading.Event()
        self.beats = 0
        office.stopping = self.stop.is_set
        self.worker = Worker(
            engine_for(office.url, name="qbwatch-worker", connect_timeout=2),
            office.pipeline,
            self.stop,
            is_quiet=settings.pop("is_quiet", lambda: True),
            beat=self._beat,
            **settings,
        )
        self.thread = threading.Thread(target=self.worker.loop)
        self.thread.start()

    def _beat(self) -> None:
        self.beats += 1

    def end(self) -> None:
        """Ask it to stop and wait for it."""
        self.stop.set()
        self.worker.wake()
        self.thread.join(20)
        assert not self.thread.is_alive()


@contextmanager
def running(office: Office, **settings: Any) -> Iterator[Running]:
    """A worker that works for an office until the block ends."""
    started = Running(office, **settings)
    try:
        yield started
    finally:
        started.end()


def wait_loaded(office: Office, count: int) -> None:
    """Until so many items are loaded."""
    query = "SELECT count(*) FROM qbwatch.work_items WHERE state = 'loaded'"
    wait_until(lambda: office.query(query) == [(count,)], 20, f"{count} items to be loaded")


def backend_of(url: str, name: str = "qbwatch-worker") -> int:
    """The worker's session."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


def test_what_waits_is_loaded_when_the_worker_starts_and_when_it_is_woken(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))
    with running(office) as started:
        wait_loaded(office, 1)
        office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme"))
        started.worker.wake()
        wait_loaded(office, 2)
        wait_until(lambda: not started.worker.busy, 5)


def test_a_request_is_served_in_turn_and_its_outcome_is_the_answer(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Acme"))
    with running(office, is_quiet=lambda: False) as started:  # of itself it would wait
        first = started.worker.request(scope=Scope("quickbooks.customers"))
        second = started.worker.request()
        third = started.worker.request()
        fourth = started.worker.request(Mode.SEED)
        answers = [each.result(20) for each in (first, second, third, fourth)]

    assert [answer.loaded if answer else None for answer in answers] == [1, 1, None, 0]
    assert answers[3] is not None
    assert answers[3].mode is Mode.SEED


def test_a_burst_of_files_is_one_run(office: Office) -> None:
    quiet = threading.Event()
    with running(office, is_quiet=quiet.is_set) as started:
        for day in range(1, 9):
            office.drop(f"Invoice_04_0{day}_2025_2_00_00.csv", invoices(a=[f"{day}.00"]))
            started.worker.wake()
        assert office.query("SELECT count(*) FROM qbwatch.runs") == [(0,)]
        quiet.set()
        wait_loaded(office, 8)

    assert office.query("SELECT status, total, done FROM qbwatch.runs") == [("success", 8, 8)]
    assert len(office.dbt.builds) == 1


def test_files_that_never_settle_hold_others_up_for_a_while_only(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qbwatch.worker._BATCH_PATIENCE", 0.2)
    office.drop(INVOICE, invoices(a=["10.00"]))
    with running(office, is_quiet=lambda: False):
        wait_loaded(office, 1)


def test_a_paused_worker_does_nothing_but_beat_and_doesnt_spin(office: Office) -> None:
    with running(office) as started:
        wait_until(lambda: started.beats, 5)
        started.worker.steering.pause()
        office.drop(INVOICE, invoices(a=["10.00"]))
        started.worker.wake()
        before = started.beats
        answer = started.worker.request(scope=Scope("quickbooks.customers")).result(10)  # it still listens
        wait_until(lambda: started.beats >= before + 3, 10, "it to beat on")
        assert answer is None
        assert office.query("SELECT state FROM qbwatch.work_items") == [("pending",)]
        assert started.beats < before + 20

        started.worker.steering.resume()
        started.worker.wake()
        wait_loaded(office, 1)


def test_a_second_worker_waits_until_the_first_lets_go(office: Office) -> None:
    with engine_for(office.url, name="qbwatch-first").connect() as first:
        assert try_lock(first)
        with running(office) as started:
            wait_until(lambda: started.worker.locked_out, 10, "it to find the lock taken")
            office.drop(INVOICE, invoices(a=["10.00"]))
            assert started.worker.locked_out is not None
            assert str(backend_of(office.url, "qbwatch-first")) in started.worker.locked_out.reason
            assert office.query("SELECT count(*) FROM qbwatch.runs") == [(0,)]
            first.close()
            started.worker.wake()
            wait_loaded(office, 1)
            assert started.worker.locked_out is None


def test_an_orphan_of_a_killed_process_counts_a_crash(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))
    office.execute("UPDATE qbwatch.work_items SET state = 'loading', attempt = 1")
    with running(office):
        wait_loaded(office, 1)

    assert office.query("SELECT crashes, attempt FROM qbwatch.work_items") == [(1, 2)]


def test_a_file_that_kills_the_process_every_time_is_set_aside(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))
    office.execute("UPDATE qbwatch.work_items SET state = 'loading', attempt = 3, crashes = 2")
    with running(office):
        wait_until(lambda: office.states()[0][1] == ItemState.QUARANTINED, 20, "it to be quarantined")

    assert office.query("SELECT failure_code FROM qbwatch.work_items") == [("kills_the_process",)]


def test_a_connection_that_is_killed_in_the_middle_of_a_load_costs_nothing(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))
    with psycopg.connect(office.url) as person:
        person.execute("LOCK TABLE raw.quickbooks_invoices IN SHARE MODE")
        with running(office) as started:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_until(lambda: office.query(waiting) == [(1,)], 20, "the load to be held up")
            assert office.states() == [(INVOICE, "loading")]
            office.query(f"SELECT pg_terminate_backend({backend_of(office.url)})")
            wait_until(lambda: started.worker.outage, 20, "the loss to be noticed")
            person.rollback()
            wait_loaded(office, 1)
            wait_until(lambda: office.query("SELECT status FROM qbwatch.runs ORDER BY id")[-1] == ("success",), 10)

    assert office.query("SELECT crashes FROM qbwatch.work_items") == [(0,)]
    assert office.lines() == [("a", "10.00")]
    assert office.query("SELECT status FROM qbwatch.runs ORDER BY id") == [("error",), ("success",)]


def test_who_asked_for_a_run_hears_that_it_was_cut_short(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))
    with psycopg.connect(office.url) as person:
        person.execute("LOCK TABLE raw.quickbooks_invoices IN SHARE MODE")
        with running(office, is_quiet=lambda: False) as started:
            answer = started.worker.request()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_until(lambda: office.query(waiting) == [(1,)], 20, "the load to be held up")
            office.query(f"SELECT pg_terminate_backend({backend_of(office.url)})")
            with pytest.raises(QbwatchError, match="cut short"):
                answer.result(20)
            person.rollback()


def test_a_database_that_is_stopped_is_waited_for(tmp_path: Path, state_directory: Path) -> None:
    server = EmbeddedPostgres(state_directory / "postgres", durable=False)
    office = Office(tmp_path, server.start())
    migrate(office.url)
    with running(office) as started:
        office.drop(INVOICE, invoices(a=["10.00"]))
        started.worker.wake()
        wait_loaded(office, 1)
        server.stop("immediate")
        outage = wait_until(lambda: started.worker.outage, 20, "the outage to be noticed")
        assert outage.is_transient
        with pytest.raises(QbwatchError, match="out of reach"):
            started.worker.request().result(20)

        server.start()
        office.drop("Invoice_04_02_2025_2_00_00.csv", invoices(b=["20.00"]))
        started.worker.wake()
        wait_loaded(office, 2)
        assert started.worker.outage is None


def test_a_stop_answers_those_who_still_wait(office: Office) -> None:
    with engine_for(office.url).connect() as other:
        assert try_lock(other)  # so that the worker gets to no request
        started = Running(office)
        wait_until(lambda: started.worker.locked_out, 10)
        waiting = started.worker.request()
        started.end()
    late = started.worker.request()

    for answer in (waiting, late):
        assert_refused(answer)


def assert_refused(answer: Future[Any]) -> None:
    """Whoever asked is told that qbwatch is stopping."""
    with pytest.raises(QbwatchError, match="stopping"):
        answer.result(0)


def test_a_fault_of_ours_ends_the_thread_but_leaves_nobody_waiting(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["10.00"]))

    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    office.dbt.build = broken  # type: ignore[method-assign, assignment]
    caught: list[object] = []
    stop = threading.Event()
    worker = Worker(office.engine, office.pipeline, stop, is_quiet=lambda: False)

    def loop() -> None:
        try:
            worker.loop()
        except KeyError as bug:
            caught.append(bug)

    thread = threading.Thread(target=loop)
    thread.start()
    with pytest.raises(QbwatchError, match="fault of qbwatch"):
        worker.request().result(20)
    thread.join(10)

    assert len(caught) == 1
    assert office.query("SELECT count(*) FROM qbwatch.transform_debt") == [(1,)]
