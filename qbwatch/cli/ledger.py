"""A connection to the ledger for commands that read it, with failures as one line and a hint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qbwatch.core.model import QbwatchError


@contextmanager
def ledger(config: Any) -> Iterator[Any]:
    """A SQLAlchemy connection inside a transaction. Raises `QbwatchError` when there is no ledger to read.

    A private Postgres that is down runs for as long as the command does.
    """
    from qbwatch.database import is_new, reachable
    from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of

    if is_new(config):
        raise _no_ledger()
    try:
        with reachable(config) as url, engine_for(url, name="qbwatch-cli").connect() as connection, connection.begin():
            yield connection
    except DATABASE_ERRORS as error:
        failure = failure_of(error)
        if failure.code in ("database_42P01", "schema_missing"):
            raise _no_ledger() from None
        raise DatabaseUnavailable(failure) from None


def _no_ledger() -> QbwatchError:
    return QbwatchError("this database has no ledger yet", "run qbwatch once, or the daemon, first")
