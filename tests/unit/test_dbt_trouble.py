"""Whose fault a message of the database is."""

from __future__ import annotations

import pytest

from qbwatch.edges.dbt_trouble import is_about_rights, is_infrastructure


@pytest.mark.parametrize(
    "text",
    [
        'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
        'connection to server on socket "/run/s.PGSQL.5432" failed: No such file or directory',
        'connection to server at "db", port 5432 failed: FATAL:  the database system is shutting down',
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "Database Error in model fct_orders (models/marts/fct_orders.sql)\n  deadlock detected\n  DETAIL: Process 1",
        "canceling statement due to lock timeout",
        "terminating connection due to administrator command",
        "server closed the connection unexpectedly",
        "SSL connection has been closed unexpectedly",
        "connection already closed",
        'could not extend file "base/1/2": No space left on device',
        "cannot execute INSERT in a read-only transaction",
    ],
)
def test_a_fault_of_the_infrastructure_is_known_by_its_words(text: str) -> None:
    assert is_infrastructure(text)
    assert not is_about_rights(text)


@pytest.mark.parametrize(
    "text",
    [
        'connection to server at "db", port 5432 failed: FATAL:  password authentication failed for user "qbwatch"',
        'connection to server on socket "/run/s" failed: FATAL:  database "dashbord" does not exist',
        'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "qbwatch", database "dashboard"',
        "permission denied for schema raw",
    ],
)
def test_missing_rights_are_for_a_person(text: str) -> None:
    assert is_about_rights(text)
    assert not is_infrastructure(text)


@pytest.mark.parametrize(
    "text", ["division by zero", 'column "cost" does not exist', "Got 3 results, configured to fail if != 0"]
)
def test_a_fault_of_a_model_is_neither(text: str) -> None:
    assert not is_infrastructure(text)
    assert not is_about_rights(text)
