"""Folders without a watch: suspected at first, told when a new watch didn't help, forgotten once all are watched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qbwatch.core.coverage import Coverage

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_the_first_finding_asks_for_a_new_watch_and_accuses_nobody() -> None:
    coverage = Coverage()
    assert coverage.lacks_some(AT)
    assert not coverage.is_incomplete


def test_what_a_new_watch_misses_too_is_refused_and_tried_again_each_minute() -> None:
    coverage = Coverage()
    begun = [coverage.lacks_some(AT + timedelta(seconds=seconds)) for seconds in (0, 5, 59, 60, 65, 120)]
    assert begun == [True, False, False, True, False, True]
    assert coverage.is_incomplete


def test_once_all_are_watched_the_next_finding_is_a_first_one() -> None:
    coverage = Coverage()
    coverage.lacks_some(AT)
    coverage.lacks_some(AT + timedelta(seconds=5))
    coverage.clear()
    assert not coverage.is_incomplete
    assert coverage.lacks_some(AT + timedelta(seconds=10))
    assert not coverage.is_incomplete
