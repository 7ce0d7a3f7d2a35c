"""A fault that lasts is one incident and one recovery, told once each; at the pace at which people are told.

The pace is kept by a false clock, which is moved on, and the looks between come fifteen times as often.
All that keeps the database from being worked with is one cause, whatever codes it shows while it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alert_services import Endpoint, endpoint
from false_clock import FalseClock, false_clock
from faulty import FEW, Lab, new_database, settings, url_of
from installation import Installation
from outages import away, locked, read_only
from waiting import wait_until

from qbwatch.announcing import TICK
from qbwatch.core.incident import Pace
from qbwatch.edges.embedded import EmbeddedPostgres

HURRY = 15
LOOK = TICK / HURRY  # seconds between looks at what is wrong, for a daemon in a hurry
LASTS = 10.0  # seconds; that the pipeline tries again some times, and ten looks
PACE = Pace()
IMPATIENT = "&options=-c%20lock_timeout%3D1s"
Fault = Callable[[Lab], AbstractContextManager[None]]


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


@pytest.fixture
def hurry() -> int:
    return HURRY


@pytest.fixture
def clock(tmp_path: Path, hurry: int) -> FalseClock:
    return false_clock(tmp_path, hurry)


@pytest.fixture
def lab(
    server: EmbeddedPostgres, clock: FalseClock, project: Path, install: Callable[..., Installation], hook: Endpoint
) -> Iterator[Lab]:
    """A daemon that tells somebody, and waits a second for a table's lock."""
    with new_database(server) as name:
        extra = settings(project, f'[alerts]\nurls = ["{hook.url}"]\n')
        made = Lab(server, install(url=url_of(server, name) + IMPATIENT, extra=extra), name)
        made.installation.environ = clock.environ()
        made.start()
        yield made


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("code", "fault"),
    [("database_down", away), ("database_read_only", read_only), ("database_locked", locked)],
    ids=["away", "read-only", "locked"],
)
def test_a_fault_that_lasts_is_one_incident_and_one_recovery(
    lab: Lab, clock: FalseClock, hook: Endpoint, few_expected: dict[str, list[str]], code: str, fault: Fault
) -> None:
    lab.drop(FEW[:2])
    lab.installation.wait_settled(2)
    with fault(lab):
        lab.drop(FEW[2:])
        wait_until(lambda: code in lab.problems(), 60, code)
        ahead = push_until_told(clock, hook)
        last(LASTS)
        assert len(hook.taken) == 1
    lab.assert_well(FEW, few_expected)
    wait_until(lambda: is_absent(lab), 60, "a look at which it is gone")
    assert open_incidents(lab) != [], "it may come again"
    clock.set_off_by(ahead + PACE.quiet)
    wait_until(lambda: incidents(lab) and not open_incidents(lab), 60, "the incident to be over")
    assert incidents(lab) == [("database_down",)]
    held = rows(lab, "SELECT told_at - seen_since FROM qbwatch.incidents")
    assert held >= [(PACE.hold,)], "it is looked at for a while before it is told"
    assert sorted(sent(lab)) == [("database_down", "opened"), ("database_down", "recovered")]
    wait_until(lambda: len(hook.taken) == 2, 60, "the messages")
    assert lab.installation.stop() == 0


@pytest.mark.parametrize("hurry", [1])
def test_a_fault_that_is_over_at_once_is_no_incident(lab: Lab) -> None:
    lab.drop(FEW[:1])
    lab.installation.wait_settled(1)
    lab.restart()
    lab.drop(FEW[1:])
    lab.installation.wait_settled(len(FEW), timeout=120)
    last(2 * TICK)
    assert sent(lab) == []


def last(seconds: float) -> None:
    """Let time go by."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > until, seconds + 5)


def push_until_told(clock: FalseClock, hook: Endpoint) -> timedelta:
    """Move the clock on, maybe twice: it depends on the look that saw the fault first. How far ahead it is then."""
    ahead = PACE.hold
    while not hook.taken:
        assert ahead < PACE.hold * 20, "a message"
        clock.set_off_by(ahead)
        last(3 * LOOK)
        ahead += PACE.hold
    return ahead


def is_absent(lab: Lab) -> bool:
    """Whether all incidents were looked for in vain."""
    return rows(lab, "SELECT FROM qbwatch.incidents WHERE absent_since IS NULL") == []


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
