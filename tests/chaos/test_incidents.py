"""A fault that lasts is one incident and one recovery, told once each; at the pace at which people are told.

All that keeps the database from being worked with is one cause, whatever codes it shows while it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from alert_services import Endpoint, endpoint
from faulty import FEW, Lab, new_database, settings, url_of
from holding import held
from installation import Installation
from waiting import wait_until

from qbwatch.announcing import TICK
from qbwatch.core.incident import Pace
from qbwatch.edges.embedded import EmbeddedPostgres

LASTS = TICK * 2 + 10  # seconds; two looks at least, between which it is held back
OVER = Pace().quiet.total_seconds() + 4 * TICK
IMPATIENT = "&options=-c%20lock_timeout%3D1s"
Fault = Callable[[Lab], AbstractContextManager[None]]


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


@pytest.fixture
def lab(server: EmbeddedPostgres, project: Path, install: Callable[..., Installation], hook: Endpoint) -> Iterator[Lab]:
    """A daemon that tells somebody, and waits a second for a table's lock."""
    with new_database(server) as name:
        extra = settings(project, f'[alerts]\nurls = ["{hook.url}"]\n')
        made = Lab(server, install(url=url_of(server, name) + IMPATIENT, extra=extra), name)
        made.start()
        yield made


@contextmanager
def away(lab: Lab) -> Iterator[None]:
    lab.server.stop("immediate")
    try:
        yield
    finally:
        lab.server.start()


@contextmanager
def read_only(lab: Lab) -> Iterator[None]:
    lab.system("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        lab.system("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only")


@contextmanager
def locked(lab: Lab) -> Iterator[None]:
    with held(lab.url, "quickbooks_invoices"):
        yield


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("code", "fault"),
    [("database_down", away), ("database_read_only", read_only), ("database_locked", locked)],
    ids=["away", "read-only", "locked"],
)
def test_a_fault_that_lasts_is_one_incident_and_one_recovery(
    lab: Lab, hook: Endpoint, few_expected: dict[str, list[str]], code: str, fault: Fault
) -> None:
    lab.drop(FEW[:2])
    lab.installation.wait_settled(2)
    with fault(lab):
        lab.drop(FEW[2:])
        began = time.monotonic()
        wait_until(lambda: code in lab.problems(), 60, code)
        wait_until(lambda: time.monotonic() - began > LASTS, LASTS + 5, "the fault to last")
    lab.assert_well(FEW, few_expected)
    wait_until(lambda: incidents(lab) and not open_incidents(lab), OVER, "the incident to be over")
    assert incidents(lab) == [("database_down",)]
    assert sorted(sent(lab)) == [("database_down", "opened"), ("database_down", "recovered")]
    wait_until(lambda: len(hook.taken) == 2, 60, "the messages")
    assert lab.installation.stop() == 0


def test_a_fault_that_is_over_at_once_is_no_incident(lab: Lab) -> None:
    lab.drop(FEW[:1])
    lab.installation.wait_settled(1)
    lab.restart()
    lab.drop(FEW[1:])
    lab.installation.wait_settled(len(FEW), timeout=120)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2 * TICK, 3 * TICK, "two more looks")
    assert sent(lab) == []


def incidents(lab: Lab) -> list[object]:
    return rows(lab, "SELECT code FROM qbwatch.incidents")


def open_incidents(lab: Lab) -> list[object]:
    return rows(lab, "SELECT code FROM qbwatch.incidents WHERE recovered_at IS NULL")


def sent(lab: Lab) -> list[tuple[str, str]]:
    """Code of the incident and kind of each message that was queued."""
    query = """SELECT incident.code, delivery.kind FROM qbwatch.deliveries AS delivery
               JOIN qbwatch.incidents AS incident ON incident.id = delivery.incident_id"""
    return rows(lab, query)  # type: ignore[return-value]


def rows(lab: Lab, query: str) -> list[object]:
    with psycopg.connect(lab.url) as connection:
        return list(connection.execute(query).fetchall())  # type: ignore[call-overload]
