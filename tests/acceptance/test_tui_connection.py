"""The terminal interface beside a daemon that is down, comes up, hangs or is upgraded, and beside a large ledger."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from driving import Driver, app_of, drive
from installation import Installation
from large_ledger import look_at_a_large_ledger
from small_exports import invoices
from without_dbt import COMMAND

import qbwatch.tui.desk

INVOICE = "Invoice_04_01_2025_2_00_00.csv"
ASKED_FOR = 3.0  # seconds that a question waits for a daemon that hangs


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


@pytest.mark.timeout(240)
def test_fifty_thousand_files_are_there_and_keys_answer_while_the_daemon_hangs(
    install: Callable[..., Installation],
) -> None:
    _, slowest = look_at_a_large_ledger(install(command=COMMAND))

    assert slowest < ASKED_FOR, "a key waited for the daemon"
