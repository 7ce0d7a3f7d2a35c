"""When is an empty folder no folder that was emptied?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qbwatch.core.census import MANY, Census

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_a_folder_that_held_many_files_and_holds_none_was_emptied_once() -> None:
    census = Census()
    census.count(MANY, NOON)
    census.count(0, NOON + timedelta(minutes=5))
    census.count(0, NOON + timedelta(minutes=10))
    assert (census.before, census.emptied_at) == (MANY, NOON + timedelta(minutes=5))


def test_the_first_file_ends_the_doubt() -> None:
    census = Census(before=4000)
    census.count(0, NOON)
    assert census.emptied_at == NOON
    census.count(1, NOON)
    assert census.emptied_at is None
    census.count(0, NOON)
    assert census.emptied_at is None


def test_a_folder_that_held_few_files_may_be_empty() -> None:
    census = Census()
    census.count(MANY - 1, NOON)
    census.count(0, NOON)
    assert census.emptied_at is None
