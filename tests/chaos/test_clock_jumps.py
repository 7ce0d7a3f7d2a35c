"""The machine's clock is set, forwards and backwards, under a daemon at work: nothing waits for it, nothing is skipped.

The clock is a false one, for the daemon alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from false_clock import FalseClock, false_clock
from faulty import FEW, Lab, expected_of, new_database, settings, url_of
from holding import held, items
from installation import Installation
from waiting import wait_until

from qbwatch.edges.embedded import EmbeddedPostgres

SOON = 15.0  # seconds; far less than any of the jumps
IMPATIENT = "&options=-c%20lock_timeout%3D1s"


@pytest.fixture
def clock(tmp_path: Path) -> FalseClock:
    return false_clock(tmp_path)


@pytest.fixture
def lab(
    server: EmbeddedPostgres, clock: FalseClock, project: Path, install: Callable[..., Installation]
) -> Iterator[Lab]:
    """A daemon that lives by the false clock and waits a second for a table's lock."""
    with new_database(server) as name:
        installation = install(url=url_of(server, name) + IMPATIENT, extra=settings(project))
        installation.environ = clock.environ()
        made = Lab(server, installation, name)
        made.start()
        yield made


def test_files_are_loaded_soon_whatever_the_clock_does(
    lab: Lab, clock: FalseClock, project: Path, install: Callable[..., Installation]
) -> None:
    jumps = [timedelta(hours=-1), timedelta(days=400), timedelta(0), timedelta(days=-400), timedelta(hours=5)]
    lab.drop(FEW[:1])
    lab.installation.wait_settled(1)
    for number, jump in enumerate(jumps, start=2):
        lab.drop(FEW[number - 1 : number])
        clock.set_off_by(jump)  # while the file settles
        lab.installation.wait_settled(number, timeout=SOON)
        assert lab.problems() == []
        told = datetime.fromisoformat(lab.installation.status()["as_of"])
        assert abs(told - (datetime.now(UTC) + jump)) < timedelta(minutes=1), "the daemon does live by that clock"
    lab.assert_well(FEW, expected_of(install, FEW, project))
    assert lab.installation.stop() == 0


def test_a_pause_that_was_set_by_a_clock_ahead_is_over_once_it_is_set_right(
    lab: Lab, clock: FalseClock, project: Path, install: Callable[..., Installation]
) -> None:
    lab.drop(FEW[:2])
    lab.installation.wait_settled(2)
    clock.set_off_by(timedelta(days=30))
    with held(lab.url, "quickbooks_invoices"):
        lab.drop(FEW[2:])
        wait_until(lambda: "retrying" in {state for state, _, _ in items(lab.installation).values()}, 60, "a pause")
        problem = lab.wait_for_one_problem("database_locked")
        assert "tried again" in problem["hint"]
        clock.set_off_by(timedelta(0))
    lab.installation.wait_settled(len(FEW), timeout=SOON)
    lab.assert_well(FEW, expected_of(install, FEW, project))
    assert lab.installation.stop() == 0
