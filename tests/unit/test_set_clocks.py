"""The machine's clock was ahead and is set right: what was noted meanwhile lies ahead, and nothing waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from qbwatch.core import outbox
from qbwatch.core.arrivals import overdue_since
from qbwatch.core.expect import Export, Week, configured, standing
from qbwatch.core.facts import Severity
from qbwatch.core.incident import Incident, Kind, Pace, Sighting, judge
from qbwatch.core.message import Message
from qbwatch.core.missing import standings_of
from qbwatch.core.model import FailureClass
from qbwatch.core.outbox import Book, Delivery

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday, 03:00 in New York
LOOK = timedelta(seconds=15)
PACE = Pace()
AHEAD = [timedelta(seconds=1), timedelta(hours=1), timedelta(days=400)]
DEAD = Sighting(FailureClass.INFRASTRUCTURE, "watch_dead", "", Severity.ERROR, "the folder watch is dead", "look")
WEEK = Week(ZoneInfo("America/New_York"), lambda _: False)
INVOICES = "quickbooks.invoices"
BY_SIX = configured(INVOICES, "business day", time(6))


def follow(known: Incident, present: list[Sighting], looks: int) -> tuple[Incident, list[Kind]]:
    """So many looks by the right clock; the incident after them, and what was told of it."""
    told = []
    for number in range(looks):
        judged = judge([known], present, PACE, NOW + number * LOOK)
        known = judged.incidents[0] if judged.incidents else known
        told += [kind for _, kind in judged.told]
    return known, told


def opened(at: datetime) -> Incident:
    """Trouble that was seen for the first time at this moment."""
    (incident,) = judge([], [DEAD], PACE, at).incidents
    return incident


@pytest.mark.parametrize("ahead", AHEAD)
def test_trouble_that_went_away_by_a_clock_ahead_has_recovered_after_a_minute(ahead: timedelta) -> None:
    wrong = NOW + ahead
    gone = replace(opened(wrong), told_at=wrong, absent_since=wrong)
    after, told = follow(gone, [], looks=5)
    assert told == [Kind.RECOVERED]
    assert after.recovered_at == NOW + timedelta(minutes=1)
    assert after.opened_at <= after.recovered_at


@pytest.mark.parametrize("ahead", AHEAD)
def test_trouble_that_was_first_seen_by_a_clock_ahead_is_told_after_its_hold(ahead: timedelta) -> None:
    after, told = follow(opened(NOW + ahead), [DEAD], looks=2)
    assert told == [Kind.OPENED]
    assert after.told_at == NOW + LOOK


@pytest.mark.parametrize("ahead", AHEAD)
def test_it_is_reminded_of_a_day_after_the_clock_was_set_right(ahead: timedelta) -> None:
    known, told = follow(replace(opened(NOW + ahead), told_at=NOW + ahead), [DEAD], looks=2)
    assert told == []
    tomorrow = judge([known], [DEAD], PACE, NOW + timedelta(days=1))
    assert [kind for _, kind in tomorrow.told] == [Kind.REMINDER]


def test_of_two_incidents_of_a_cause_the_open_one_goes_on() -> None:
    over = replace(opened(NOW + timedelta(days=400)), recovered_at=NOW + timedelta(days=400))
    known = opened(NOW)
    for number in range(4):
        known, over = judge([over, known], [DEAD], PACE, NOW + number * LOOK).incidents[0], over
    assert known.id == opened(NOW).id


@pytest.mark.parametrize("ahead", AHEAD[:2])
def test_an_export_that_arrived_by_a_clock_ahead_did_arrive(ahead: timedelta) -> None:
    assert BY_SIX is not None
    morning = NOW.replace(hour=11)
    exports = [Export(NOW - timedelta(hours=1), morning + ahead)]
    found = standing(BY_SIX, exports, WEEK, NOW - timedelta(days=9), morning + timedelta(minutes=1))
    assert found.missing_since is None
    assert found.last == exports[0]


def test_what_is_expected_is_missed_although_the_first_file_came_by_a_clock_ahead() -> None:
    exports = {INVOICES: [Export(NOW, NOW)]}
    found = standings_of(exports, {INVOICES: BY_SIX}, WEEK, NOW + timedelta(days=400), NOW + timedelta(days=1, hours=4))
    assert [each.missing_since for each in found] == [datetime(2026, 11, 25, 11, 0, tzinfo=UTC)]


def test_an_arrival_by_a_clock_far_ahead_hides_no_silence() -> None:
    arrivals = [NOW - timedelta(days=day) for day in range(12, 4, -1)]
    assert overdue_since(arrivals, NOW, WEEK) is not None
    assert overdue_since([*arrivals, NOW + timedelta(days=400)], NOW, WEEK) == overdue_since(arrivals, NOW, WEEK)


def waiting(queued_at: datetime, attempts: int, next_attempt_at: datetime) -> Delivery:
    (made,) = outbox.queue("a", "a", Kind.OPENED, Message("subject", "body"), ["hook"], queued_at)
    return replace(made, attempts=attempts, next_attempt_at=next_attempt_at)


@pytest.mark.parametrize(
    "delivery",
    [
        waiting(NOW + timedelta(hours=1), 0, NOW + timedelta(hours=1)),
        waiting(NOW + timedelta(days=400), 7, NOW + timedelta(days=400, minutes=30)),
    ],
    ids=["never tried", "tried"],
)
def test_a_message_that_was_queued_by_a_clock_ahead_is_sent_now(delivery: Delivery) -> None:
    assert outbox.due(Book(deliveries=(delivery,)), "hook", NOW) == [delivery]


def test_a_message_that_was_tried_waits_out_its_pause() -> None:
    tried = waiting(NOW, 3, NOW + timedelta(hours=1))
    assert outbox.due(Book(deliveries=(tried,)), "hook", NOW) == []
    assert outbox.due(Book(deliveries=(tried,)), "hook", NOW + timedelta(hours=1)) == [tried]


def test_what_a_service_refuses_is_passed_on_although_it_was_queued_by_a_clock_ahead() -> None:
    tried = waiting(NOW + timedelta(days=400), 3, NOW + timedelta(days=400))
    passed = outbox.pass_on(Book(deliveries=(tried,)), ["hook"], ["mail"], NOW)
    assert [each.service for each in passed.deliveries] == ["hook", "mail"]
