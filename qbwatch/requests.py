"""What a person may ask of the pipeline's thread, each with a future for its answer: nobody is left waiting for one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from qbwatch.core.model import Mode, QbwatchError
from qbwatch.edges.postgres import DATABASE_ERRORS, failure_of, is_lost
from qbwatch.pipeline import RunOutcome, Scope


@dataclass(frozen=True, slots=True)
class Request:
    """A person's wish for one run now; the future gets its `RunOutcome`, or None when there was nothing to do."""

    force: Mode | None
    scope: Scope
    answer: Future[RunOutcome | None] = field(default_factory=Future)

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Whatever happens in it, there is an answer afterwards. Only a lost database ends a run: that is raised on."""
        try:
            yield
        except DATABASE_ERRORS as error:
            failure = failure_of(error)
            self.answer.set_exception(QbwatchError(f"the run was cut short: {failure.reason}", failure.hint))
            raise
        finally:  # a bug ends the thread
            if not self.answer.done():
                self.answer.set_exception(QbwatchError("the run ended by a fault of qbwatch", "see its journal"))


@dataclass(frozen=True, slots=True)
class Errand:
    """Something else to be done over the pipeline's connection, between runs; the future gets what came of it."""

    work: Callable[[Connection], Any]
    answer: Future[Any] = field(default_factory=Future)

    def do(self, connection: Connection) -> None:
        """Do it and answer. Raises one of `DATABASE_ERRORS` only when the database is lost."""
        try:
            self.answer.set_result(self.work(connection))
        except QbwatchError as error:
            self.answer.set_exception(error)
        except DATABASE_ERRORS as error:
            failure = failure_of(error)
            self.answer.set_exception(QbwatchError(f"it was cut short: {failure.reason}", failure.hint))
            if is_lost(connection):
                raise
        finally:  # a bug ends the thread
            if not self.answer.done():
                self.answer.set_exception(QbwatchError("it ended by a fault of qbwatch", "see its journal"))


@dataclass(frozen=True, slots=True)
class Requests:
    """What waits for its turn. Once it is closed, everything is refused at once."""

    _waiting: queue.SimpleQueue[Request | Errand] = field(default_factory=queue.SimpleQueue)
    _closed: threading.Event = field(default_factory=threading.Event)

    def put(self, asked: Request | Errand) -> None:
        """Let it wait."""
        self._waiting.put(asked)
        if self._closed.is_set():  # looked at after it was put: closing refuses all that was put before
            self._refuse_as_stopping()

    def next(self) -> Request | Errand | None:
        """What has waited longest; None when nothing waits."""
        try:
            return self._waiting.get_nowait()
        except queue.Empty:
            return None

    def refuse(self, message: str, hint: str) -> None:
        """Answer everything that waits with a `QbwatchError`."""
        while (asked := self.next()) is not None:
            asked.answer.set_exception(QbwatchError(message, hint))

    def close(self) -> None:
        """From now on there is nobody to do anything."""
        self._closed.set()
        self._refuse_as_stopping()

    def _refuse_as_stopping(self) -> None:
        self.refuse("qbwatch is stopping", "start it again, then ask again")
