"""Whose fault is it, can trying again help, and what should a person do?"""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from qbwatch.core.failure import is_due, of_crashes, of_errno, of_sqlstate, pause_before, unexpected
from qbwatch.core.model import FailureClass
from qbwatch.edges.postgres import failure_of

INFRA, CONFIG, DATA = FailureClass.INFRASTRUCTURE, FailureClass.CONFIGURATION, FailureClass.DATA


@pytest.mark.parametrize(
    ("sqlstate", "failure_class"),
    [
        (None, INFRA),
        ("08006", INFRA),
        ("25006", INFRA),
        ("25P03", INFRA),
        ("25P04", INFRA),
        ("53400", INFRA),
        ("55006", INFRA),
        ("57P02", INFRA),
        ("57P04", CONFIG),
        ("XX001", INFRA),
        ("40P01", INFRA),
        ("40001", INFRA),
        ("53100", INFRA),
        ("53200", INFRA),
        ("53300", INFRA),
        ("55P03", INFRA),
        ("57014", INFRA),
        ("57P01", INFRA),
        ("57P03", INFRA),
        ("58030", INFRA),
        ("28P01", CONFIG),
        ("3D000", CONFIG),
        ("3F000", CONFIG),
        ("42501", CONFIG),
        ("42P01", CONFIG),
        ("XX000", CONFIG),
        ("22003", DATA),
        ("23505", DATA),
        ("54000", DATA),
    ],
)
def test_database_errors_are_classed_by_their_sqlstate(sqlstate: str | None, failure_class: FailureClass) -> None:
    failure = of_sqlstate(sqlstate, "what happened")
    assert failure.failure_class is failure_class
    assert failure.is_transient is (failure_class is INFRA)
    assert failure.reason == "what happened"
    assert failure.hint


def test_the_longest_matching_entry_of_the_table_decides() -> None:
    assert of_sqlstate("53100", "").code == "database_disk_full"
    assert of_sqlstate("53300", "").code == "database_too_busy"
    assert of_sqlstate("53999", "").code == "database_resources"


@pytest.mark.parametrize(
    ("number", "failure_class", "code"),
    [
        (errno.ENOSPC, INFRA, "disk_full"),
        (errno.EDQUOT, INFRA, "disk_full"),
        (errno.EIO, INFRA, "disk_error"),
        (errno.EMFILE, INFRA, "too_many_open_files"),
        (errno.ENFILE, INFRA, "too_many_open_files"),
        (errno.EROFS, INFRA, "disk_read_only"),
        (errno.ESTALE, INFRA, "disk_gone"),
        (errno.ENOMEM, INFRA, "out_of_memory"),
        (errno.EACCES, CONFIG, "permission"),
        (None, INFRA, "system_error"),
        (9999, INFRA, "system_error"),
    ],
)
def test_errors_of_the_system_are_classed_by_their_number(
    number: int | None, failure_class: FailureClass, code: str
) -> None:
    failure = of_errno(number, "what happened")
    assert (failure.failure_class, failure.code) == (failure_class, code)


def test_a_refusal_of_the_driver_itself_is_not_taken_for_a_lost_connection() -> None:
    with pytest.raises(psycopg.DataError) as caught:
        psycopg.adapt.Transformer().as_literal("a\x00b")
    assert failure_of(caught.value).failure_class is DATA
    assert failure_of(psycopg.OperationalError("connection refused")).failure_class is INFRA
    assert failure_of(psycopg.InterfaceError("the connection is closed")).failure_class is INFRA
    assert failure_of(errors.DeadlockDetected("deadlock detected")).code == "database_conflict"


def test_only_the_first_line_of_a_database_error_is_told() -> None:
    failure = failure_of(errors.UniqueViolation("duplicate key\nDETAIL:  Key (name)=(A customer) exists."))
    assert failure.reason == "duplicate key"
    assert failure_of(errors.DeadlockDetected("")).reason == "DeadlockDetected"


def test_a_fault_of_qbwatch_and_a_killer_file_wait_for_a_person() -> None:
    for failure in (unexpected(KeyError("x")), of_crashes(3)):
        assert failure.failure_class is DATA
        assert not failure.is_transient
        assert failure.hint


def test_pauses_grow_and_stay_within_bounds() -> None:
    pauses = [pause_before(attempt) for attempt in range(1, 200)]
    assert pauses[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('connection failed: FATAL:  password authentication failed for user "q"', "database_login"),
        ('connection failed: FATAL:  no pg_hba.conf entry for host "[local]", user "q"', "database_login"),
        ('connection failed: FATAL:  role "q" does not exist', "database_login"),
        ('connection failed: FATAL:  database "q" does not exist', "database_missing"),
    ],
)
def test_a_refused_login_waits_for_a_person_although_it_has_no_sqlstate(message: str, code: str) -> None:
    found = of_sqlstate(None, message)
    assert (found.failure_class, found.code) == (FailureClass.CONFIGURATION, code)


def test_a_server_that_does_not_take_connections_now_is_waited_for() -> None:
    found = of_sqlstate(None, 'connection failed: FATAL:  database "q" is not currently accepting connections')
    assert found.is_transient


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("connection failed: FATAL:  sorry, too many clients already", "database_too_busy"),
        ("connection failed: FATAL:  remaining connection slots are reserved for roles", "database_too_busy"),
        ("connection failed: FATAL:  the database system is starting up", "database_stopped"),
        ("connection failed: FATAL:  the database system is in recovery mode", "database_stopped"),
    ],
)
def test_a_server_that_has_no_room_or_is_coming_up_is_waited_for_by_name(message: str, code: str) -> None:
    found = of_sqlstate(None, message)
    assert (found.is_transient, found.code) == (True, code)


@pytest.mark.parametrize(
    ("ahead", "due"),
    [
        (timedelta(seconds=-1), True),
        (timedelta(0), True),
        (timedelta(seconds=1), False),
        (timedelta(minutes=5), False),
        (timedelta(minutes=5, seconds=1), True),  # no pause is that long: the clock was set back
        (timedelta(hours=9), True),
    ],
)
def test_a_pause_ends_at_its_time_or_when_the_clock_was_set_back(ahead: timedelta, due: bool) -> None:
    at = datetime(2025, 4, 1, 12, tzinfo=UTC)
    assert is_due(at + ahead, at) is due
