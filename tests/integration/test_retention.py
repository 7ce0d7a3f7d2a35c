"""What leaves the vault after its time, and what never does."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from small_exports import Office, customers, invoices

from qbwatch.retention import Retention

LONG_AGO = 1_000_000_000  # seconds since 1970


@pytest.fixture
def old_office(office: Office) -> Office:
    """One file of each outcome, all of it long ago: loaded, superseded, duplicate, quarantined, waiting."""
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="Before"))
    office.work()
    office.drop("Customer_04_01_2025_1_00_00.csv", customers(c="After"))  # rewritten under its name
    office.drop("Customer_04_01_2025_1_00_00 (1).csv", customers(c="After"))
    office.drop("notes.csv", b"a,b\r\n1,2\r\n")
    office.work()
    office.drop("Invoice_04_01_2025_2_00_00.csv", invoices(a=["10.00"]))
    for copy in (office.root / "vault").rglob("*.zst"):
        os.utime(copy, (LONG_AGO, LONG_AGO))
    return office


def clear(office: Office, keep_for: timedelta | None) -> int:
    with office.engine.connect() as connection:
        return Retention(office.vault, keep_for).clear(connection, office.at)


def test_only_what_nothing_refers_to_leaves_the_vault_after_its_time(old_office: Office) -> None:
    assert len(list(old_office.vault.hashes())) == 4
    assert clear(old_office, timedelta(days=90)) == 0, "its state changed a moment ago"
    old_office.at += timedelta(days=91)
    assert clear(old_office, None) == 0, "for ever"

    assert clear(old_office, timedelta(days=90)) == 2

    kept = "SELECT DISTINCT content_hash FROM qbwatch.work_items WHERE state IN ('loaded', 'pending')"
    assert set(old_office.vault.hashes()) == {row[0] for row in old_office.query(kept)}
    old_office.work()
    assert old_office.lines() == [("a", "10.00")]


def test_a_copy_that_came_again_just_now_stays(old_office: Office) -> None:
    old_office.at += timedelta(days=91)
    old_office.vault.take(b"notes.csv", old_office.root / "input")
    assert clear(old_office, timedelta(days=90)) == 1


def test_it_is_done_once_a_day(old_office: Office) -> None:
    old_office.at += timedelta(days=91)
    seconds = [0.0]
    retention = Retention(old_office.vault, timedelta(days=90), lambda: seconds[0])
    with old_office.engine.connect() as connection:
        retention.tend(connection, old_office.at)
        assert len(list(old_office.vault.hashes())) == 4, "not right after the start"
        seconds[0] = 3600.0
        retention.tend(connection, old_office.at)
        assert len(list(old_office.vault.hashes())) == 2
