"""The terminal interface beside a daemon that is down, comes up, hangs or is upgraded, and beside a large ledger."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import psycopg
import pytest
from driving import Driver, app_of, drive
from installation import Installation
from small_exports import invoices
from without_dbt import COMMAND

import qbwatch.tui.desk
from qbwatch.edges.migrate import migrate

INVOICE = "Invoice_04_01_2025_2_00_00.csv"
MANY = 50_000
FIRST_SCREEN = 1.0  # seconds
KEY = 0.2  # seconds


def slack() -> float:
    """How much longer all takes while others work on the machine, too."""
    return max(2 * os.getloadavg()[0] / (os.cpu_count() or 1), 1.0)


_LEDGER = f"""
INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of, as_of_basis,
                           is_full, first_seen_at, settled_at)
SELECT 'input', convert_to(name, 'UTF8'), name, 100, 0, number, 1, md5(name),
       timestamptz '2020-01-01' + number * interval '1 hour', 'name', false, now(), now()
FROM generate_series(1, {MANY}) AS number, LATERAL (SELECT 'Invoice_' || number || '.csv') AS named (name);
INSERT INTO qbwatch.work_items (file_id, dataset, content_hash, as_of, is_full, state, attempt, is_folded, loaded_at,
                                changed_at, rows_read, rows_structural, rows_inserted, rows_updated,
                                rows_unchanged, rows_removed, rows_rejected)
SELECT id, 'quickbooks.invoices', content_hash, as_of, false, 'loaded', 1, true, now(), now(), 1, 0, 1, 0, 0, 0, 0
FROM qbwatch.files;
ANALYZE"""


async def timed(person: Driver, *keys: str) -> float:
    """Seconds from a key to the screen after it; the slowest of these keys."""
    slowest = 0.0
    for key in keys:
        began = time.monotonic()
        await person.keys(key)
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def test_without_a_daemon_the_ledger_is_shown_and_nothing_can_be_changed(install: Callable[..., Installation]) -> None:
    office = install(command=COMMAND)
    (office.input / INVOICE).write_bytes(invoices(a=["1.00"]))
    assert office.run("once").returncode == 0

    async def story(person: Driver) -> None:
        await person.sees("Not connected, trying again", "the daemon is not running", "from the ledger", "Read only")
        await person.keys("2")
        await person.sees(INVOICE, "loaded")
        await person.keys("enter")
        await person.sees("1 rows read = 1 inserted")
        await person.keys("escape", "v")
        await person.sees("not connected, so nothing is done", f"qbwatch revert {INVOICE}")
        await person.keys("3")
        await person.sees("seed", "success")
        await person.keys("7")
        await person.sees("no line so far", "journalctl -u qbwatch")

        office.start()
        await person.sees("daemon idle")
        assert "Not connected" not in person.text
        await person.keys("2", "v")
        await person.sees("would remove 1 row")
        await person.keys("escape")

        office.kill()
        await person.sees("Not connected, trying again", "from an earlier one")
        await person.sees(INVOICE)
        office.start()
        await person.sees("daemon idle")

    drive(app_of(office), story, (130, 30))


def test_before_there_is_any_ledger_it_says_what_is_missing(install: Callable[..., Installation]) -> None:
    office = install(command=COMMAND)

    async def story(person: Driver) -> None:
        await person.sees("Not connected, trying again", "Something is wrong")
        await person.keys("2")
        await person.until(lambda: not person.app.pane._is_asking, "the answer")
        assert person.app.is_running

    drive(app_of(office), story)


def test_a_daemon_of_another_protocol_is_told_apart(
    install: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = install(command=COMMAND)
    office.start()
    monkeypatch.setattr(qbwatch.tui.desk, "PROTOCOL", 99)

    async def story(person: Driver) -> None:
        await person.sees("speaks another protocol than this qbwatch", "after the upgrade")

    drive(app_of(office), story)


def test_a_socket_that_may_not_be_used_says_whom_to_ask(install: Callable[..., Installation]) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    office = install(command=COMMAND)
    office.start()
    (office.root / "control.sock").chmod(0)

    async def story(person: Driver) -> None:
        await person.sees("no permission to speak to the daemon")

    drive(app_of(office), story)


def test_fifty_thousand_files_are_there_at_once_and_keys_answer_while_the_daemon_hangs(
    install: Callable[..., Installation],
) -> None:
    office = install(command=COMMAND)
    migrate(office.url)
    with psycopg.connect(office.url, autocommit=True) as connection:
        connection.execute(_LEDGER.encode())
    office.start()
    assert office.daemon is not None

    async def story(person: Driver) -> None:
        began = time.monotonic()
        await person.sees("daemon idle")
        await person.keys("2")
        listed = person.list("files-list")
        await person.sees("Invoice_50000.csv", "50,000 loaded")
        first = time.monotonic() - began
        assert listed.total == MANY

        await person.keys("end")
        await person.sees("Invoice_1.csv", "50,000/50,000")
        await person.keys("home", *["pagedown"] * 12)
        await person.until(lambda: listed.row is not None, "the rows there")
        key = listed.row.key if listed.row else ""
        person.app.pane.ask()
        await person.until(lambda: not person.app.pane._is_asking, "the answer")
        assert listed.row is not None
        assert listed.row.key == key

        assert office.daemon is not None
        office.daemon.send_signal(signal.SIGSTOP)
        try:
            slowest = await timed(person, "down", "pagedown", "3", "2", "up", "5", "1", "question_mark", "escape", "2")
            await person.sees("Not connected, trying again", "did not answer", timeout=60)
            slowest = max(slowest, await timed(person, "end", "home", "pagedown", "4", "6", "2"))
            await person.sees("Invoice_", timeout=30)
        finally:
            office.daemon.send_signal(signal.SIGCONT)
        await person.sees("daemon idle", timeout=60)
        assert first < FIRST_SCREEN * slack(), f"first screen after {first:.2f} s (slack {slack():.1f})"
        assert slowest < KEY * slack(), f"slowest key after {slowest * 1000:.0f} ms (slack {slack():.1f})"

    drive(app_of(office), story)
