"""Connections to Postgres: one way to open them, and the lock that allows one qbwatch per database.

The lock lives on the connection that does the loading. Should that connection drop, the lock and the open transaction
are gone with it, and nothing is written before both are there again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from qbwatch.core.model import Failure, QbwatchError
from qbwatch.edges.session import Reach, failure_of_driver, open_session

_LOCK = (0x7162, 1)  # "qb": the first number is qbwatch's, the second tells its locks apart

DATABASE_ERRORS: tuple[type[Exception], ...] = (DBAPIError, psycopg.Error)
"""What a fault of the database raises: SQLAlchemy's own wrapping, and psycopg's where COPY talks to it directly."""


class DatabaseUnavailable(QbwatchError):
    """Postgres could not be reached or refused us; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"database: {failure.reason}", failure.hint)
        self.failure = failure


def engine_for(
    url: str,
    *,
    name: str = "qbwatch",
    connect_timeout: int = 5,
    opened: Callable[[psycopg.Connection[Any]], None] = lambda _: None,
    keep: bool = False,
) -> Engine:
    """An engine on any libpq URL, one connection per use; the sessions are those of `open_session`.

    ``opened`` is told of each session. ``keep`` holds one connection for the next use, after asking whether it still
    lives: for what is done for file after file.
    """

    def connect() -> psycopg.Connection[Any]:
        session = open_session(url, name=name, connect_timeout=connect_timeout)
        opened(session)
        return session

    if keep:
        return create_engine("postgresql+psycopg://", creator=connect, pool_size=1, pool_pre_ping=True)
    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


def reach_of(engine: Engine) -> Reach:
    """The way to the database of an engine, for what speaks to psycopg itself."""

    @contextmanager
    def reach() -> Iterator[psycopg.Connection[Any]]:
        try:
            with engine.connect() as connection, connection.begin():
                yield driver(connection)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise error.orig from None
            raise

    return reach


def failure_of(error: Exception) -> Failure:
    """The failure that a database error stands for; only its first line is kept, without values of rows."""
    return failure_of_driver(error.orig if isinstance(error, DBAPIError) else error)


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below, for COPY; it shares the SQLAlchemy connection's transaction."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def is_lost(connection: Connection) -> bool:
    """Whether the session is gone, and with it the one-instance lock and the open transaction."""
    return connection.closed or connection.invalidated or driver(connection).closed


def die_with_us(connection: Connection) -> None:
    """Have the server look once a second whether this process still lives.

    Else the session of a process that was killed goes on waiting for a table lock, until ``lock_timeout``, and keeps
    the one-instance lock from whoever is started next. Only a server on Linux, BSD or macOS can look.
    """
    try:
        with connection.begin():
            connection.execute(text("SELECT set_config('client_connection_check_interval', '1s', false)"))
    except DATABASE_ERRORS:
        if is_lost(connection):
            raise


def cancel(session: psycopg.Connection[Any]) -> None:
    """Have the server end the statement that the session's thread waits for, if any. For any other thread."""
    with suppress(psycopg.Error):
        session.cancel_safe(timeout=2.0)


def try_lock(connection: Connection) -> bool:
    """Take the one-instance lock for the life of this session; False when another qbwatch holds it."""
    with connection.begin():
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:a, :b)"), {"a": _LOCK[0], "b": _LOCK[1]}))


def lock_holder(connection: Connection) -> int | None:
    """Backend pid of the session that holds the one-instance lock."""
    query = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = :a AND objid = :b AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    with connection.begin():
        found = connection.scalar(text(query), {"a": _LOCK[0], "b": _LOCK[1]})
    return None if found is None else int(found)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the server: the number of its process, which is given to another one later, and its start."""

    backend_pid: int
    started_at: datetime


def session_of(connection: Connection) -> Session:
    """The session behind a connection."""
    query = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    with connection.begin():
        row = connection.execute(text(query)).mappings().one()
    return Session(row["pid"], row["backend_start"])


def end_session(connection: Connection, session: Session) -> bool:
    """End an earlier session of ours that the server still takes for alive; True when there was one.

    A network that swallows packets, or a proxy that died, tells the server nothing of our giving it up.
    """
    query = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE pid = :pid AND backend_start = :start AND pid <> pg_backend_pid()"""
    with connection.begin():
        return bool(connection.scalar(text(query), {"pid": session.backend_pid, "start": session.started_at}))
