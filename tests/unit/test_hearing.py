"""When is a watch taken for deaf?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qbwatch.core.hearing import Hearing

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_new_files_of_which_no_event_told_in_two_scans_make_it_deaf() -> None:
    hearing = Hearing()
    hearing.found(b"a.csv", NOON)
    assert not hearing.judge(after(3))
    assert not hearing.is_deaf
    hearing.found(b"b.csv", after(300))
    assert hearing.judge(after(303))
    assert hearing.is_deaf
    assert not hearing.judge(after(304))


def test_an_event_that_is_on_its_way_is_waited_for() -> None:
    hearing = Hearing()
    for start in (0, 300, 600):
        hearing.found(b"a.csv", after(start))
        assert not hearing.judge(after(start + 1))
        hearing.heard(b"a.csv")
        assert not hearing.judge(after(start + 5))
    assert not hearing.is_deaf


def test_what_an_overflow_explains_proves_nothing() -> None:
    hearing = Hearing()
    for start in (0, 300, 600):
        hearing.found(b"a.csv", after(start))
        hearing.excuse()
        assert not hearing.judge(after(start + 5))


def test_another_folder_is_heard_anew() -> None:
    hearing = Hearing()
    for start in (0, 300):
        hearing.found(b"a.csv", after(start))
        hearing.judge(after(start + 5))
    assert hearing.is_deaf
    hearing.forget()
    hearing.found(b"a.csv", after(600))
    assert not hearing.judge(after(605))
    assert not hearing.is_deaf
