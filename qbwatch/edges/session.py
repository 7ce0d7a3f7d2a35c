"""One session with Postgres, by psycopg alone, and what its failures mean.

Everything that works on the ledger opens its sessions as it is done here, most of it through SQLAlchemy
(`edges.postgres`). A command that only asks for the status does without, and so starts in half the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from qbwatch.core.failure import of_sqlstate, unexpected
from qbwatch.core.model import Failure

_PATIENCE = (
    "-c idle_in_transaction_session_timeout=10min -c lock_timeout=60s"
    # A machine that vanished keeps no lock for the two hours that are the system's default.
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
_MEANING = "-c timezone=UTC -c datestyle=ISO"

Reach = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""A way to the database: a session and a transaction in it, for as long as the block lasts. Raises `psycopg.Error`."""


def open_session(url: str, *, name: str = "qbwatch", connect_timeout: int = 5) -> psycopg.Connection[Any]:
    """A session on any libpq URL (sockets, services and multiple hosts included). Raises `psycopg.Error`.

    ``connect_timeout`` is in seconds (libpq). Sessions run in UTC and never idle in a transaction for long. A network
    that swallows packets is noticed within half a minute, by the kernel; for one that only seems to work see
    `silent_sessions`.
    """
    return psycopg.connect(
        url,
        application_name=name,
        connect_timeout=connect_timeout,
        options=_options(url),
        keepalives_idle=15,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=30_000,
        client_encoding="utf8",
    )


def reach_at(url: str, *, name: str) -> Reach:
    """The way to the database of a libpq URL: a session of its own each time."""
    return lambda: open_session(url, name=name)


def _options(url: str) -> str:
    """Those of the URL count before how patient we are (and some hosts find the database by them), but never before
    what our rows mean. The last setting of a name wins."""
    asked = conninfo_to_dict(url).get("options") or os.environ.get("PGOPTIONS", "")
    return f"{_PATIENCE} {asked} {_MEANING}"


def failure_of_driver(error: BaseException | None) -> Failure:
    """The failure that an error of psycopg stands for; only its first line is kept, without values of rows."""
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is None and isinstance(error, psycopg.DataError):
        return unexpected(error)  # the driver refused a value: the connection is well, trying again can't help
    return of_sqlstate(sqlstate, first_line(error))


def first_line(error: object) -> str:
    """One line about an error, never empty; psycopg's DETAIL lines, which may hold customers' data, are left out."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines and lines[0].strip() else type(error).__name__
