"""The terminal interface beside a ledger of fifty thousand files, and beside a daemon that hangs: how long it takes."""

from __future__ import annotations

import signal
import time

import psycopg
from driving import Driver, app_of, drive
from installation import Installation

from qbwatch.edges.migrate import migrate

MANY = 50_000

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


def look_at_a_large_ledger(office: Installation) -> tuple[float, float]:
    """Seconds to the first screen of files, and of the slowest key while the daemon is stopped."""
    migrate(office.url)
    with psycopg.connect(office.url, autocommit=True) as connection:
        connection.execute(_LEDGER.encode())
    office.start()
    took: list[float] = []

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
        took.extend((first, slowest))

    drive(app_of(office), story)
    first, slowest = took
    return first, slowest
