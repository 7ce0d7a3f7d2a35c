"""The answers of a real installation: the daemon's over its socket, else the ledger's, which is only read.

A daemon that took the call and stays silent is left alone for some seconds, so that not every question waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from sqlalchemy import Engine, text

from qbwatch import __version__
from qbwatch.answering import answer
from qbwatch.config import Config
from qbwatch.core.facts import DaemonFacts, Json
from qbwatch.core.model import DaemonState, QbwatchError
from qbwatch.database import database_url
from qbwatch.edges.control_client import ControlError, ControlUnreachable, Unreachable, call, stream
from qbwatch.edges.control_wire import METHOD_NOT_FOUND, PROTOCOL
from qbwatch.edges.postgres import DATABASE_ERRORS, DatabaseUnavailable, engine_for, failure_of, reach_of
from qbwatch.ledger_questions import QUESTIONS, Asking, ask
from qbwatch.tui.seen import Seen

_ANSWERS_WITHIN = 3.0  # seconds for a question
_ACTS_WITHIN = 3600.0  # seconds for what may wait for its turn and then run
_LEFT_ALONE = 10.0  # seconds that a silent daemon isn't asked
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # seconds between tries to connect


class Desk:
    """Answers for one configuration. Usable from any thread."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._silent_until = 0.0
        self._engine: Engine | None = None

    @property
    def config_file(self) -> Path | None:
        """The file of the settings; None where all of them come from the environment."""
        return self._config.file

    def follow(self, stop: Event) -> Iterator[Seen]:
        """The status as `Seen`; tries to connect again with growing pauses while the daemon can't be asked."""
        pause = _FIRST_PAUSE
        while not stop.is_set():
            try:
                note = self._greet()
                for status in stream(self._config.control.socket, timeout=_ANSWERS_WITHIN):
                    pause, self._silent_until = _FIRST_PAUSE, 0.0
                    yield Seen(status, datetime.now(UTC), note=note)
                    if stop.is_set():
                        return
            except (ControlUnreachable, ControlError) as lost:
                self._note_silence(lost)
                yield Seen(self._from_ledger(), datetime.now(UTC), lost.message, lost.hint)
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def ask(self, name: str, params: Json) -> Json:
        """One question, to the daemon or, where it can't answer, to the ledger. Raises `QbwatchError`."""
        if time.monotonic() >= self._silent_until:
            try:
                return dict(call(self._config.control.socket, name, params, timeout=_ANSWERS_WITHIN))
            except ControlUnreachable as lost:
                self._note_silence(lost)
                if name not in QUESTIONS:
                    raise
            except ControlError as error:
                if error.code != METHOD_NOT_FOUND or name not in QUESTIONS:
                    raise
        if name not in QUESTIONS:
            raise QbwatchError("only the daemon can tell that, and it doesn't answer", "journalctl -u qbwatch")
        return self._ask_ledger(name, params)

    def act(self, method: str, params: Json) -> Json:
        """Have the daemon do something, and wait for its end. Raises `QbwatchError`."""
        return dict(call(self._config.control.socket, method, params, timeout=_ACTS_WITHIN))

    def _greet(self) -> str:
        """Whether we understand each other. Raises `ControlUnreachable` when not."""
        facts = call(self._config.control.socket, "ping", timeout=_ANSWERS_WITHIN)
        if facts.get("protocol") != PROTOCOL:
            text = f"the daemon (version {facts.get('version')}) speaks another protocol than this qbwatch"
            hint = f"this is {__version__}: start the daemon again, or this interface, after the upgrade"
            raise ControlUnreachable(Unreachable.BROKEN, text, hint)
        if facts.get("version") != __version__:
            return f"the daemon is version {facts.get('version')}, this is {__version__}"
        return ""

    def _note_silence(self, lost: QbwatchError) -> None:
        if isinstance(lost, ControlUnreachable) and lost.kind is Unreachable.TIMED_OUT:
            self._silent_until = time.monotonic() + _LEFT_ALONE

    def _from_ledger(self) -> Json:
        try:
            reach = reach_of(self._ledger())
        except QbwatchError:
            reach = None
        return answer(self._config, reach, DaemonFacts(DaemonState.DOWN), answered_by="ledger")

    def _ledger(self) -> Engine:
        if self._engine is None:
            url = database_url(self._config, start=False)
            if url is None:
                raise QbwatchError("the private Postgres is not running", "it runs with the daemon")
            self._engine = engine_for(url, name="qbwatch-tui", connect_timeout=3)
        return self._engine

    def _ask_ledger(self, name: str, params: Json) -> Json:
        try:
            with self._ledger().connect() as connection, connection.begin():
                connection.execute(text("SET TRANSACTION READ ONLY"))
                return ask(name, Asking(connection, params, datetime.now(UTC), self._config.quickbooks.timezone))
        except DATABASE_ERRORS as error:
            self._engine = None  # a private Postgres has another address after its next start
            raise DatabaseUnavailable(failure_of(error)) from error
