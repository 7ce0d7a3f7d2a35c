"""A year of nightly exports: no false alarm on any weekend, holiday or day off, and every missing one told in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import psycopg
import pytest
from alert_services import Endpoint, endpoint
from telling import NEW_YORK, World

from qbwatch.core.calendar import closed_days
from qbwatch.core.expect import configured
from qbwatch.core.incident import Pace
from qbwatch.edges.answers import alert_counts
from qbwatch.edges.postgres import driver

DAYS_OFF = [date(2026, 7, 2), *(date(2026, 12, day) for day in (24, 28, 29, 30, 31))]
IS_CLOSED = closed_days("US", DAYS_OFF)
MISSING = [date(2026, 3, 18), date(2026, 7, 6), date(2026, 11, 10)]  # after a long weekend, and before a holiday
LATE = date(2026, 9, 15)
ASKED, LEARNED = "quickbooks.invoices", "quickbooks.customers"
DEADLINES = {ASKED: time(6), LEARNED: time(4, 10)}  # the learned one: two hours after the usual time, about 2:07


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, second), NEW_YORK).astimezone(UTC)


def arrive(ledger: psycopg.Connection, day: date, arrived_at: datetime) -> None:
    """An export of this day for each dataset comes into the ledger, as the intake and the loader write it.

    On Wednesdays the office sends it once more, by hand, which is skipped as a duplicate.
    """
    as_of = at(day, 10, 55) if day == LATE else at(day, 2)
    for dataset in (ASKED, LEARNED):
        values = {"name": f"{dataset}_{day}.csv", "as_of": as_of, "at": arrived_at, "dataset": dataset}
        ledger.execute(_ARRIVE, {**values, "twice": day.weekday() == 2})


_ARRIVE = """
WITH file AS (
    INSERT INTO qbwatch.files (root, path, name, size_bytes, mtime_ns, inode, device, content_hash, as_of, as_of_basis,
                               is_full, first_seen_at, settled_at)
    VALUES ('input', convert_to(%(name)s, 'UTF8'), %(name)s, 1, 1, 1, 1, %(name)s, %(as_of)s, 'name', false, %(at)s,
            %(at)s)
    RETURNING id
)
INSERT INTO qbwatch.work_items (file_id, dataset, content_hash, as_of, is_full, state, is_folded, failure_code,
                                loaded_at, changed_at)
SELECT id, %(dataset)s, %(name)s, %(as_of)s, false, state, state = 'loaded', code, %(at)s, %(at)s
FROM file, (VALUES ('loaded', NULL, true), ('skipped', 'duplicate', %(twice)s)) AS part (state, code, is_there)
WHERE is_there"""


EVERY = [(0, 20), (2, 30), (4, 0), (4, 10), (4, 11), (5, 59), (6, 0), (6, 1), (11, 6), (11, 8), (21, 0)]


def looks_of(day: date) -> list[datetime]:
    """The moments at which something could be told: on ordinary days after the deadlines, around the others all."""
    is_near = any(abs(day - each) <= timedelta(days=1) for each in (*MISSING, LATE))
    return [at(day, hour, minute) for hour, minute in (EVERY if is_near else [(6, 1)])]


@pytest.mark.timeout(600)
def test_a_year_of_exports_is_missed_three_times_and_late_once(
    database_url: str, tmp_path: Path, hook: Endpoint
) -> None:
    world = World(database_url, tmp_path, hook.url, pace=Pace(hold=timedelta(0)))
    asked = configured(ASKED, "business day", time(6))
    world.is_closed, world.limit, world.expected = IS_CLOSED, 3, {ASKED: asked}
    told: list[tuple[datetime, str]] = []
    with psycopg.connect(database_url, autocommit=True) as ledger:
        for number in range(365):
            day = date(2026, 1, 1) + timedelta(days=number)
            moments = looks_of(day)
            if day.weekday() < 5 and not IS_CLOSED(day) and day not in MISSING:
                came = at(day, 11, 5) if day == LATE else at(day, 2, 3 + number % 5)
                moments = look_until(world, moments, came, hook, told)
                arrive(ledger, day, came)
            look_until(world, moments, at(day, 23, 59), hook, told)
    check(told)


def test_an_export_that_comes_while_the_clock_is_ahead_is_missed_no_longer(
    database_url: str, tmp_path: Path, hook: Endpoint
) -> None:
    world = World(database_url, tmp_path, hook.url, pace=Pace(hold=timedelta(0)))
    first, missed = date(2026, 4, 6), date(2026, 4, 29)  # a Monday, a Wednesday
    with psycopg.connect(database_url, autocommit=True) as ledger:
        for number in range((missed - first).days):
            day = first + timedelta(days=number)
            if day.weekday() < 5:
                arrive(ledger, day, at(day, 2, 5))
        world.at = at(missed + timedelta(days=1), 3, 4)
        world.looks(60)
        assert len(hook.taken) == 1
        assert "Customers usually come by" in hook.taken[0]
        arrive(ledger, missed + timedelta(days=1), world.at + timedelta(hours=1))
        world.looks(120)
    assert "Customers came" in hook.taken[-1]
    with world.engine.begin() as connection:
        assert alert_counts(driver(connection))["open_incidents"] == 0


def look_until(
    world: World, moments: list[datetime], end: datetime, hook: Endpoint, told: list[tuple[datetime, str]]
) -> list[datetime]:
    """Look at each of these moments before ``end``; gives the others. What is told is noted with its moment."""
    for moment in moments:
        if moment < end:
            world.at = moment
            before = len(hook.taken)
            world.announcer.look()
            told += [(moment, text) for text in hook.taken[before:]]
    return [moment for moment in moments if moment >= end]


def check(told: list[tuple[datetime, str]]) -> None:
    """What was told, and when: three missing days and a late one for each of the two ways to expect an export."""
    for dataset, name in ((ASKED, "Invoices should"), (LEARNED, "Customers usually")):
        opened = [moment for moment, text in told if f"qbwatch: {name} come" in text]
        by = DEADLINES[dataset]
        due = [at(day, by.hour, by.minute) for day in sorted([*MISSING, LATE])]
        late_by = [moment - deadline for moment, deadline in zip(opened, due, strict=True)]
        assert all(timedelta() <= late <= timedelta(minutes=2) for late in late_by), late_by
        (recovered,) = (text for _, text in told if f"recovered: {name} come" in text)
        assert "It was late; nothing is missing." in recovered
        gaps = [text for _, text in told if f"over, with a gap: {name} come" in text]
        assert len(gaps) == 3
        assert all("never did" in text for text in gaps)
    classes = [line for _, text in told for line in text.splitlines() if line.startswith("Class: ")]
    assert set(classes) == {"Class: missing files (missing_export)"}, "nothing else was told"
