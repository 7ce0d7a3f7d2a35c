"""Finding database sessions that wait for an answer which will never come.

A network, proxy or pooler that stops forwarding without closing leaves a session waiting for ever: the kernel's own
probes (keepalives, ``tcp_user_timeout``) are answered by the next hop. So a session that has been waiting for long is
asked about over a connection of its own. A long statement is left alone as long as the server says that it works.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import TransactionStatus

from qbwatch.core.failure import of_sqlstate
from qbwatch.log import get_logger

log = get_logger(__name__)

_LOOK_EVERY = 2.0  # seconds
_SILENT_AFTER = 15.0  # seconds that a session may wait before the server is asked about it
_ANSWER_WITHIN = 8.0  # seconds for that answer, connecting included
_STRIKES = 2  # questions in a row without an answer, before the session is given up


class Said(StrEnum):
    """What the server says of a session."""

    WORKS = "works"
    RESTS = "rests"  # it answered long ago, and waits for us
    NOTHING = "nothing"


class SilentSessions:
    """Watches the sessions that it is told of. Safe from any thread; ``watch`` runs in one of its own."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: WeakKeyDictionary[psycopg.Connection[Any], float | None] = WeakKeyDictionary()
        self._strikes: WeakKeyDictionary[psycopg.Connection[Any], int] = WeakKeyDictionary()

    def add(self, session: psycopg.Connection[Any]) -> None:
        """A new session, to be watched until it is closed."""
        with self._lock:
            self._waiting[session] = None

    def watch(self, stop: threading.Event) -> None:
        """Look again and again until ``stop`` is set."""
        while not stop.wait(_LOOK_EVERY):
            self.look()

    def look(self) -> None:
        """Look once, and cut the sessions that are lost: whoever waits there gets a connection error."""
        for session in self._silent():
            said = ask_about(self._url, session.info.backend_pid)
            self._strikes[session] = self._strikes.get(session, 0) + 1 if said is Said.NOTHING else 0
            if said is Said.RESTS or self._strikes[session] >= _STRIKES:
                log.warning("a database session fell silent and is given up", backend=session.info.backend_pid)
                cut(session)
            elif said is Said.WORKS:
                with self._lock:
                    self._waiting[session] = self._clock()

    def _silent(self) -> list[psycopg.Connection[Any]]:
        """The sessions that were found waiting at every look for long."""
        now, silent = self._clock(), []
        with self._lock:
            for session, since in list(self._waiting.items()):
                if session.closed or session.pgconn.transaction_status != TransactionStatus.ACTIVE:
                    self._waiting[session] = None
                elif since is None:
                    self._waiting[session] = now
                elif now - since > _SILENT_AFTER:
                    silent.append(session)
        return silent


def ask_about(url: str, backend_pid: int) -> Said:
    """What a new connection to the server says of a session. A server that has no room for it answers too: it lives."""
    answers: list[Said] = []

    def ask() -> None:
        answers.append(_ask(url, backend_pid))

    asker = threading.Thread(target=ask, name="ask-about-session", daemon=True)
    asker.start()
    asker.join(_ANSWER_WITHIN)
    return answers[0] if answers else Said.NOTHING


def _ask(url: str, backend_pid: int) -> Said:
    query = """SELECT FROM pg_stat_activity WHERE pid = %s AND state LIKE 'idle%%'
               AND clock_timestamp() - state_change > make_interval(secs => %s)"""
    try:
        with psycopg.connect(url, connect_timeout=5, application_name="qbwatch-pulse", autocommit=True) as connection:
            found = connection.execute(query, (backend_pid, _SILENT_AFTER / 2)).fetchone()
    except psycopg.Error as error:
        is_mute = of_sqlstate(error.sqlstate, str(error)).code == "database_connection"
        return Said.NOTHING if is_mute else Said.WORKS
    return Said.WORKS if found is None else Said.RESTS


def cut(session: psycopg.Connection[Any]) -> None:
    """Close the session's socket under the thread that waits for it, which then gets an error."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(session.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
